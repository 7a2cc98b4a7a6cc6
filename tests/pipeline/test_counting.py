"""What the product writes is what the figures count: messages as they are really handled, and the names of units."""

from datetime import datetime, time, timedelta

from fixtures.outside import CODE
from fixtures.stage import USER, Stage
from sqlalchemy import select

from actions.backends.errors import BackendDown
from actions.backends.models import OfficeList
from bot.jobs import EVENT_PAUSES
from bot.store import conversations
from bot.store.figures import Name
from bot.store.models import Figure, FigureArea, Owner, UnansweredWording


def at_noon(stage: Stage) -> None:
    """So that a day's worth does not depend on when the tests run."""
    zone = stage.settings.zone
    today = stage.clock().astimezone(zone).date()
    stage.clock.now = datetime.combine(today, time(12), zone)


def counted(stage: Stage) -> dict[tuple[str, str, str], tuple[int, int | None]]:
    with stage.database.begin() as session:
        rows = session.scalars(select(Figure).where(Figure.name != Name.REPLY_TIME)).all()
    return {(row.name, row.area, row.bucket): (row.part, row.whole) for row in rows if row.channel}


def test_a_day_of_the_product(stage: Stage) -> None:
    at_noon(stage)
    stage.link(CODE)
    stage.nlu.teach("tổng đài", "hotline")
    stage.nlu.teach("còn nợ không", "debt_check")
    stage.says("tổng đài")
    stage.says("hát cho nghe với", user="8888888888888888888")
    stage.billing.failure = BackendDown("debt", "no answer")
    stage.says("còn nợ không")
    with stage.database.begin() as session:
        conversations.set_owner(session, stage.conversation(USER).id, Owner.STAFF, stage.clock())
    stage.says("cháu ơi")
    stage.tick("count_figures")
    area = CODE[:6]
    found = counted(stage)
    assert found[Name.LINKED, area, ""] == (1, None)
    assert found[Name.SERVED, area, ""] == (0, 1)
    assert found[Name.SERVED, "", ""] == (0, 1)
    assert found[Name.UNDERSTOOD, area, ""] == (2, 2)
    assert found[Name.UNDERSTOOD, "", ""] == (0, 1)
    assert found[Name.FAILED, area, "debt_check"] == (1, None)
    assert found[Name.IN_TIME, area, "reply"] == (2, 2)
    with stage.database.begin() as session:
        assert session.scalars(select(UnansweredWording.shown)).all() == ["hát cho nghe với"]


def test_what_was_given_up_failed(stage: Stage) -> None:
    at_noon(stage)
    stage.nlu.down = True
    stage.hears("tiền điện tháng này")
    stage.work()
    for pause in EVENT_PAUSES:
        stage.later(pause)
    stage.tick("count_figures")
    found = counted(stage)
    assert found == {(Name.FAILED, "", ""): (1, None), (Name.SERVED, "", ""): (0, 1)}


def test_units_are_named_by_the_company_once(stage: Stage) -> None:
    stage.link(CODE)
    stage.tick("count_figures")
    with stage.database.begin() as session:
        assert session.scalars(select(FigureArea)).all() == []
    (office,) = stage.service.offices().items
    named = OfficeList(as_of=stage.clock(), items=(office.model_copy(update={"code": CODE[:6]}),))
    stage.service.offices = lambda: named  # type: ignore[method-assign, assignment]
    stage.tick("count_figures")
    with stage.database.begin() as session:
        assert session.get_one(FigureArea, CODE[:6]).name == office.name
    stage.service.offices = None  # type: ignore[method-assign, assignment]
    stage.clock.now += timedelta(minutes=5)
    stage.tick("count_figures")
