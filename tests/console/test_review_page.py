"""Reviewing one message after the other: what is shown, what a verdict stores, and who may."""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from fixtures.console import Browser, Console
from fixtures.reviewing import MODEL, Chat, review_of

from bot.pipeline.doubts import Signal
from bot.store import retention, reviews
from bot.store.models import Audit, Contact, Message, Review, Role, Verdict

ROOT = Path(__file__).parents[2]
SAID = re.compile(r'id="said"[^>]*>(.*?)</p>', re.DOTALL)


@pytest.fixture
def chat(console: Console) -> Chat:
    return Chat(console.database, console.now - timedelta(hours=1), name="Lường Văn Páo")


@pytest.fixture
def reviewer(console: Console) -> Browser:
    return console.signed_in(Role.REVIEWER, login="lan")


def said(page: str) -> str:
    """What is shown of the message, without its marks."""
    found = SAID.search(page)
    return re.sub(r"<[^>]+>", "", found[1]) if found else ""


def judge(browser: Browser, message_id: int, verdict: str, **fields: Any) -> Any:
    return browser.post(f"/review/{message_id}", {"verdict": verdict, **fields})


def keys(page: str) -> set[str]:
    return {key for found in re.findall(r'data-key="([^"]+)"', page) for key in found.split()}


class TestQueue:
    def test_what_is_worth_most_comes_first_then_the_newest(self, chat: Chat, reviewer: Browser) -> None:
        for value, text in ((20, "câu cũ"), (20, "câu mới"), (70, "câu quan trọng")):
            chat.queued(text, value)
        seen = []
        page = reviewer.page("/review")
        while said(page) not in seen:
            seen.append(said(page))
            forward = re.search(r'href="/console(/review\?after=[^"]+)" data-key="j"', page)
            assert forward
            page = reviewer.page(forward[1])
        assert seen == ["câu quan trọng", "câu mới", "câu cũ"]
        last = reviewer.page("/review", query_string={"after": "20-2"})
        back = re.search(r'href="/console(/review\?before=[^"]+)" data-key="k"', last)
        assert (said(last), back is not None and said(reviewer.page(back[1]))) == ("câu cũ", "câu mới")

    def test_nothing_to_do_is_said(self, reviewer: Browser) -> None:
        assert "Không còn câu nào chờ duyệt" in reviewer.page("/review")

    def test_what_is_left_is_counted_up_to_a_thousand(
        self, chat: Chat, reviewer: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(4):
            chat.queued(f"câu số {number}")
        assert "4 câu chờ" in reviewer.page("/review")
        monkeypatch.setattr(reviews, "MOST_COUNTED", 3)
        assert "hơn 3 câu chờ" in reviewer.page("/review")

    def test_every_key_stands_on_its_button(self, chat: Chat, reviewer: Browser) -> None:
        chat.queued("tien dien", ranking=[[name, 0.2] for name in ("bill_lookup", "greet", "human", "thank", "deny")])
        chat.queued("tiền điện", value=10)
        judge(reviewer, 2, "discarded")
        page = reviewer.page("/review")
        assert keys(page) == {*"coRrdsjku12345", "Enter"} - {"R"}
        for key in keys(page):
            assert f"<kbd>{key}</kbd>" in page

    def test_the_two_lines_before_are_shown_and_why_it_is_here(self, chat: Chat, reviewer: Browser) -> None:
        chat.customer("câu đầu tiên")
        chat.customer("alo điện lực")
        chat.bot("Tôi nghe đây ạ")
        chat.queued("bao giờ có điện", signals=("handed_over", "close"))
        page = reviewer.page("/review")
        assert "câu đầu tiên" not in page
        assert page.index("alo điện lực") < page.index("Tôi nghe đây ạ") < page.index("bao giờ có điện")
        assert "Sau đó phải gặp người" in page
        assert "Hai ý sát nhau" in page

    def test_another_model_than_the_present_is_marked(self, console: Console, chat: Chat, reviewer: Browser) -> None:
        chat.queued("câu này", model="nlu-0000")
        assert "bản hiểu cũ" not in reviewer.page("/review")
        for model, old in ((MODEL, True), ("nlu-0000", False)):
            with console.database.begin() as session:
                reviews.progress(session).model = model
            assert ("bản hiểu cũ" in reviewer.page("/review")) is old

    def test_what_was_erased_or_forgotten_is_gone(self, console: Console, chat: Chat, reviewer: Browser) -> None:
        other = Chat(console.database, console.now, user="user-2")
        chat.queued("câu bị xóa")
        kept = other.queued("câu quá hạn", value=10)
        judge(reviewer, other.queued("câu đã duyệt"), "confirmed")
        with console.database.begin() as session:
            retention.erase(session, chat.contact_id, actor="test")
            assert session.query(Review).count() == 2
            for forget in retention.WITH_MESSAGES:
                forget(session, console.now + timedelta(days=1))
        assert "Không còn câu nào" in reviewer.page("/review")
        assert reviewer.get(f"/review/{kept}").status_code == 404
        assert "đã xóa theo thời hạn" in reviewer.page("/verdicts")


class TestVerdicts:
    def test_each_is_stored_with_who_and_when_and_the_next_one_comes(
        self, console: Console, chat: Chat, reviewer: Browser
    ) -> None:
        following = chat.queued("câu sau", value=10)
        for sent, label, verdict, intent in (
            ("confirmed", "", Verdict.CONFIRMED, "bill_lookup"),
            ("out_of_scope", "", Verdict.OUT_OF_SCOPE, "out_of_scope"),
            ("discarded", "", Verdict.DISCARDED, None),
            ("intent:debt_check", "", Verdict.RELABELLED, "debt_check"),
            ("intent:bill_lookup", "", Verdict.CONFIRMED, "bill_lookup"),
            ("relabelled", "Còn nợ không", Verdict.RELABELLED, "debt_check"),
            ("relabelled", " con no khong ", Verdict.RELABELLED, "debt_check"),
            ("relabelled", "debt_check", Verdict.RELABELLED, "debt_check"),
        ):
            message_id = chat.queued("tien dien thang nay")
            answer = judge(reviewer, message_id, sent, label=label)
            assert answer.location == f"/console/review?after=20-{message_id}"
            assert said(reviewer.page(answer.location.removeprefix("/console"))) == "câu sau"
            kept = review_of(console.database, message_id)
            assert kept
            assert (kept.verdict, kept.intent) == (verdict, intent), (sent, label)
            assert (kept.at, kept.staff_id, kept.guessed, kept.model) == (console.now, 1, "bill_lookup", MODEL)
        assert review_of(console.database, following).verdict is None  # type: ignore[union-attr]

    def test_what_says_nothing_is_refused_and_the_message_stays(
        self, console: Console, chat: Chat, reviewer: Browser
    ) -> None:
        message_id = chat.queued("tien dien thang nay")
        refused: tuple[tuple[str, dict[str, Any], str], ...] = (
            ("relabelled", {"label": ""}, "Không có ý này"),
            ("relabelled", {"label": "mua vé tàu"}, "Không có ý này"),
            ("", {}, "Không có ý này"),
            ("confirmed", {"start": "0", "end": "99", "entity": "period"}, "không hợp lệ"),
            ("confirmed", {"start": "", "end": "4", "entity": "period"}, "không hợp lệ"),
            ("confirmed", {"start": "0", "end": "4", "entity": "thing"}, "không hợp lệ"),
            ("confirmed", {"start": ["0", "3"], "end": ["4", "8"], "entity": ["period", "place"]}, "không hợp lệ"),
            ("split", {"cut": "3", "first": "greet", "second": "human"}, "chỗ tách"),
            ("split", {"cut": "5", "first": "greet", "second": ""}, "Không có ý này"),
        )
        for sent, fields, why in refused:
            answer = judge(reviewer, message_id, sent, **fields)
            assert (answer.status_code, why in answer.text) == (422, True), fields
            assert said(answer.text) == "tien dien thang nay"
        assert review_of(console.database, message_id).verdict is None  # type: ignore[union-attr]

    def test_what_was_marked_and_typed_stays_when_the_rest_is_refused(self, chat: Chat, reviewer: Browser) -> None:
        message_id = chat.queued("tien dien thang nay")
        fields = {"start": "10", "end": "19", "entity": "period", "cut": "5", "first": "Giá điện", "second": "vé tàu"}
        page = judge(reviewer, message_id, "split", **fields).text
        assert '<mark data-title="kỳ">thang nay</mark>' in page
        assert all(f'value="{typed}"' in page for typed in ("Giá điện", "vé tàu"))
        assert '<option value="5" selected>' in page

    def test_values_are_corrected(self, console: Console, chat: Chat, reviewer: Browser) -> None:
        found = [{"entity": "place", "start": 0, "end": 4, "value": {}}]
        message_id = chat.queued("tien 😀 thang nay", entities=found)
        page = reviewer.page("/review")
        assert '<mark data-title="nơi">tien</mark>' in page
        judge(
            reviewer,
            message_id,
            "confirmed",
            start=["0", "7", ""],
            end=["4", "16", ""],
            entity=["", "period", ""],
        )
        kept = review_of(console.database, message_id)
        assert kept
        assert kept.entities == [{"start": 7, "end": 16, "entity": "period"}]

    def test_two_requests_are_split_with_the_values_of_each(
        self, console: Console, chat: Chat, reviewer: Browser
    ) -> None:
        text = "tien thang nay roi gui ma qr"
        message_id = chat.queued(text)
        assert f'<option value="{text.index("roi")}">…tien thang nay | roi gui ma…</option>' in reviewer.page("/review")
        judge(
            reviewer,
            message_id,
            "split",
            cut=str(text.index("roi")),
            first="Xem tiền điện",
            second="pay_bill",
            start="5",
            end="14",
            entity="period",
        )
        kept = review_of(console.database, message_id)
        assert kept
        period = {"start": 5, "end": 14, "entity": "period"}
        assert (kept.verdict, kept.intent) == (Verdict.SPLIT, "bill_lookup")
        assert kept.parts == [
            {"start": 0, "end": 15, "intent": "bill_lookup", "entities": [period]},
            {"start": 15, "end": len(text), "intent": "pay_bill", "entities": []},
        ]

    def test_a_message_is_judged_once(self, console: Console, chat: Chat, reviewer: Browser) -> None:
        message_id = chat.queued("câu này")
        other = console.signed_in(Role.SUPERVISOR, login="other")
        judge(other, message_id, "out_of_scope")
        answer = judge(reviewer, message_id, "confirmed", follow_redirects=True)
        assert answer.status_code == 302
        assert "đã có người duyệt" in reviewer.page("/review")
        assert review_of(console.database, message_id).verdict == "out_of_scope"  # type: ignore[union-attr]
        assert reviewer.get(f"/review/{message_id}").location == "/console/verdicts"

    def test_one_that_nothing_cast_doubt_on_can_be_judged_too(
        self, console: Console, chat: Chat, reviewer: Browser
    ) -> None:
        message_id = chat.customer("câu bình thường")
        assert said(reviewer.page(f"/review/{message_id}")) == "câu bình thường"
        judge(reviewer, message_id, "confirmed")
        assert review_of(console.database, message_id).value == 0  # type: ignore[union-attr]

    def test_only_what_a_customer_wrote_and_was_understood_can_be_judged(self, chat: Chat, reviewer: Browser) -> None:
        others = (
            chat.bot("xin chào"),
            chat.customer("đã chọn", kind="button"),
            chat.customer("với người", intent=None),
        )
        for message_id, path in product((*others, 99), ("", "/open")):
            assert reviewer.post(f"/review/{message_id}{path}", {"verdict": "confirmed"}).status_code == 404


class TestUndo:
    def test_the_last_is_taken_back_one_after_the_other(self, console: Console, chat: Chat, reviewer: Browser) -> None:
        one, two = chat.queued("câu một"), chat.queued("câu hai")
        for message_id in (one, two):
            judge(reviewer, message_id, "confirmed")
            console.later(seconds=2)
        page = reviewer.page("/review")
        assert "Vừa duyệt: Đúng · Xem tiền điện" in page
        for message_id, text in ((two, "câu hai"), (one, "câu một")):
            answer = reviewer.post("/review/undo")
            assert answer.location == f"/console/review/{message_id}"
            assert said(reviewer.page(f"/review/{message_id}")) == text
        answer = reviewer.post("/review/undo", follow_redirects=True)
        assert "Không còn gì để hoàn tác" in answer.text

    def test_nobody_s_but_one_s_own_and_not_what_has_been_learnt(
        self, console: Console, chat: Chat, reviewer: Browser
    ) -> None:
        message_id = chat.queued("câu này")
        judge(console.signed_in(Role.SUPERVISOR, login="other"), message_id, "confirmed")
        reviewer.post("/review/undo")
        assert review_of(console.database, message_id).verdict  # type: ignore[union-attr]
        with console.database.begin() as session:
            reviews.mark_applied(session, [message_id], console.now)
        assert "hoàn tác được" in reviewer.post(f"/verdicts/{message_id}/undo", follow_redirects=True).text
        assert review_of(console.database, message_id).verdict  # type: ignore[union-attr]


class TestPersonalData:
    @pytest.fixture
    def message_id(self, console: Console, chat: Chat) -> int:
        chat.bot("Chào ông Lường Văn Páo, mã PA04DH0000123")
        text = "Lường Văn Páo mã PA04DH0000123 sđt 0912345678"
        return chat.queued(text, entities=[{"entity": "customer_code", "start": 17, "end": 30, "value": ""}])

    def real(self, page: str) -> set[str]:
        return {each for each in ("Lường", "Páo", "PA04DH0000123", "0912345678") if each in page}

    def test_is_look_alikes_everywhere(self, reviewer: Browser, message_id: int) -> None:
        page = reviewer.page("/review")
        assert self.real(page) == set()
        assert re.fullmatch(r"\w{5} Văn \w{3} mã PA04[A-Z]{2}\d{7} sđt 091\d{7}", said(page))
        assert re.search(r'<mark data-title="mã khách hàng">PA04[A-Z]{2}\d{7}</mark>', page)
        judge(reviewer, message_id, "confirmed")
        assert self.real(reviewer.page("/verdicts")) == set()

    def test_is_shown_to_who_says_why_for_a_while_and_the_audit_keeps_it(
        self, console: Console, reviewer: Browser, message_id: int
    ) -> None:
        reviewer.post(f"/review/{message_id}/open", {"reason": " "})
        assert self.real(reviewer.page("/review")) == set()
        reviewer.post(f"/review/{message_id}/open", {"reason": "không rõ mã nào"})
        assert len(self.real(reviewer.page("/review"))) == 4
        assert self.real(console.signed_in(Role.REVIEWER, login="other").page("/review")) == set()
        with console.database.begin() as session:
            opened = session.query(Audit).filter_by(action="data.opened").one()
        assert (opened.actor, opened.contact_id, opened.detail) == ("staff:1", 1, {"reason": "không rõ mã nào"})
        console.later(minutes=31)
        assert self.real(reviewer.page("/review")) == set()


def test_reviewers_and_supervisors_only(console: Console, chat: Chat) -> None:
    chat.queued("câu này")
    for role in Role:
        may = role in {Role.REVIEWER, Role.SUPERVISOR}
        browser = console.signed_in(role)
        for path in ("/review", "/review/1", "/verdicts", "/verdicts/confusions"):
            assert browser.get(path).status_code == (200 if may else 403)
        assert ("Duyệt câu hiểu" in browser.page("/me")) is may


@pytest.fixture
def words(console: Console) -> Iterator[Any]:
    with console.app.app_context():
        yield console.app.extensions["office"]


def test_everything_has_its_words(words: Any) -> None:
    domain = yaml.safe_load((ROOT / "nlu" / "domain.yml").read_text("utf-8"))
    assert set(words.intents) == set(domain["intents"])
    assert list(words.words["entities"]) == domain["entities"]
    assert set(words.words["verdicts"]) == set(Verdict)
    assert set(words.words["signals"]) == set(Signal)
    assert len(set(words.intents.values())) == len(words.intents)


def test_a_change_of_name_is_covered_as_well(console: Console, chat: Chat, reviewer: Browser) -> None:
    """Whatever the person is called now, not when they wrote."""
    message_id = chat.queued("tôi là Thào A Sùng đây")
    with console.database.begin() as session:
        session.get_one(Contact, chat.contact_id).display_name = "Thào A Sùng"
        assert session.get_one(Message, message_id).text
    assert "Sùng" not in reviewer.page("/review")
