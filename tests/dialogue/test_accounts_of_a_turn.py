"""The one place where a request gets its account: from verified links of this contact only."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.desk import load_company
from bot.dialogue.commands import PayloadSigner, Slots
from bot.dialogue.replies import ReplyBook
from bot.dialogue.state import DialogueState
from bot.dialogue.turn import Account, AccountGone, Caller, NeedsAccountChoice, NeedsLink, Turn
from bot.messages import ChannelName, Inbound, InboundKind
from bot.pipeline.assembly import DATA

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
MINE = Account(1, "PA04DH0000123", None)
MOTHERS = Account(2, "PA04PY0000201", "nhà mẹ")
BOOK = ReplyBook(DATA / "replies", ZoneInfo("Asia/Ho_Chi_Minh"), load_company(DATA).model_dump())


def turn(*accounts: Account, text: str = "", default: int | None = None) -> Turn[None]:
    return Turn(
        caller=Caller(
            contact_id=1, conversation_id=1, channel=ChannelName.ZALO, accounts=accounts, consents=frozenset()
        ),
        inbound=Inbound(key="k", name="user_send_text", kind=InboundKind.TEXT, at=NOW, text=text),
        event_id=1,
        now=NOW,
        state=DialogueState(default_link=default),
        desk=None,
        replies=BOOK,
        signer=PayloadSigner("secret of a test"),
    )


def test_the_only_one() -> None:
    assert turn(MINE).account(Slots()) is MINE


def test_none_linked() -> None:
    with pytest.raises(NeedsLink):
        turn().account(Slots())


def test_several_are_asked_about_unless_one_is_in_use_or_called_by_name() -> None:
    with pytest.raises(NeedsAccountChoice):
        turn(MINE, MOTHERS).account(Slots())
    assert turn(MINE, MOTHERS, default=2).account(Slots()) is MOTHERS
    assert turn(MINE, MOTHERS, text="tien dien nha me thang truoc", default=1).account(Slots()) is MOTHERS


def test_a_code_that_is_not_linked_has_to_be() -> None:
    with pytest.raises(NeedsLink) as need:
        turn(MINE).account(Slots(customer_code="PA04GT0000401"))
    assert need.value.customer_code == "PA04GT0000401"


@given(link=st.integers(), default=st.integers() | st.none(), code=st.text(max_size=13) | st.none())
def test_nothing_said_or_tapped_leads_to_an_account_of_somebody_else(
    link: int, default: int | None, code: str | None
) -> None:
    for slots in (Slots(link=link), Slots(customer_code=code), Slots(link=link, customer_code=code)):
        try:
            account = turn(MINE, MOTHERS, default=default).account(slots)
        except (AccountGone, NeedsLink, NeedsAccountChoice):
            continue
        assert account in {MINE, MOTHERS}
        assert slots.link is None or account.link_id == link
