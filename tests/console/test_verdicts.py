"""What reviewers have said: the list, its filters and undo, and what is taken for what."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from fixtures.console import Browser, Console
from fixtures.reviewing import MODEL, Chat, review_of

from bot.console.paging import PAGE
from bot.store import reviews
from bot.store.models import Role, Verdict
from bot.store.reviews import Judgement


@pytest.fixture
def chat(console: Console) -> Chat:
    console.add(Role.REVIEWER, login="lan")
    console.add(Role.REVIEWER, login="minh")
    return Chat(console.database, console.now - timedelta(hours=1))


@pytest.fixture
def supervisor(console: Console, chat: Chat) -> Browser:
    return console.signed_in(Role.SUPERVISOR, login="boss")


def judged(
    console: Console, chat: Chat, text: str, true: str | None, *, by: int = 1, at: datetime | None = None, **given: str
) -> int:
    """A message that was taken for bill_lookup, and what it is."""
    message_id = chat.queued(text, **given)  # type: ignore[arg-type]
    said = Verdict.DISCARDED if true is None else Verdict.CONFIRMED if true == "bill_lookup" else Verdict.RELABELLED
    with console.database.begin() as session:
        reviews.judge(session, message_id, Judgement(said, true, []), staff_id=by, at=at or console.now)
    return message_id


def texts(page: str) -> list[str]:
    return re.findall(r'data-label="Câu">([^<]*)<', page)


def test_the_newest_comes_first_and_what_is_asked_for_alone_is_shown(
    console: Console, chat: Chat, supervisor: Browser
) -> None:
    judged(console, chat, "câu một", "bill_lookup", at=console.now - timedelta(minutes=3), model="nlu-0000")
    judged(console, chat, "câu hai", "debt_check", by=2, at=console.now - timedelta(minutes=1))
    judged(console, chat, "câu ba", None, at=console.now - timedelta(minutes=2))
    chat.queued("câu bốn")
    with console.database.begin() as session:
        reviews.progress(session).model = MODEL
    for asked, shown in (
        ({}, ["câu hai", "câu ba", "câu một"]),
        ({"verdict": "discarded"}, ["câu ba"]),
        ({"intent": "debt_check"}, ["câu hai"]),
        ({"by": "2"}, ["câu hai"]),
        ({"older": "yes"}, ["câu một"]),
        ({"verdict": "split"}, []),
    ):
        assert texts(supervisor.page("/verdicts", query_string=asked)) == shown, asked
    assert supervisor.page("/verdicts").count("bản cũ") == 1


def test_a_long_list_is_read_page_by_page(console: Console, chat: Chat, supervisor: Browser) -> None:
    for number in range(PAGE + 3):
        judged(console, chat, f"câu {number}", "bill_lookup")
    page = supervisor.page("/verdicts")
    following = re.search(r'rel="next" href="/console([^"]+)"', page)
    assert following
    rest = supervisor.page(following[1].replace("&amp;", "&"))
    assert (len(texts(page)), texts(rest)) == (PAGE, ["câu 2", "câu 1", "câu 0"])


def test_any_can_be_undone_and_waits_again(console: Console, chat: Chat, supervisor: Browser) -> None:
    message_id = judged(console, chat, "câu này", "debt_check")
    answer = supervisor.post(f"/verdicts/{message_id}/undo", follow_redirects=True)
    assert "trả câu về hàng chờ" in answer.text
    kept = review_of(console.database, message_id)
    assert kept
    assert (kept.verdict, kept.intent, kept.staff_id, kept.at, kept.value) == (None, None, None, None, 20)
    assert "câu này" in supervisor.page("/review")


def test_what_is_taken_for_what_within_a_time(console: Console, chat: Chat, supervisor: Browser) -> None:
    for true in ("bill_lookup", "debt_check", "debt_check", "due_date", None):
        judged(console, chat, "câu này", true)
    judged(console, chat, "câu xưa", "due_date", at=datetime(2026, 10, 1, tzinfo=UTC))
    page = supervisor.page("/verdicts/confusions")
    row = re.sub(r"<[^>]+>|\s+", " ", page.split("<tbody>")[1])
    assert re.sub(" +", " ", row).startswith(" Xem tiền điện 4 25% Còn nợ không 2 Hạn thanh toán 1 ")
    before = supervisor.page("/verdicts/confusions", query_string={"since": "2026-09-01", "until": "2026-10-01"})
    assert "Hạn thanh toán <b>1</b>" in before
    assert "Chưa có câu nào" in supervisor.page("/verdicts/confusions", query_string={"until": "2026-09-30"})
    for odd in ("x", "0001-01-01", "9999-12-31"):
        supervisor.page("/verdicts/confusions", query_string={"since": odd, "until": odd})
