"""Verdicts become training data: the file, and what is marked once the understanding has taken it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from fixtures.reviewing import Chat, review_of
from trolydien_command import Trolydien

from bot.nlu_review import AT_ONCE, apply, export
from bot.store import reviews, staff
from bot.store.database import Database
from bot.store.models import Role, Verdict
from bot.store.reviews import Judgement

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


@pytest.fixture
def chat(database: Database) -> Chat:
    with database.begin() as session:
        staff.add(session, login="lan", name="Lan", roles=[Role.REVIEWER], password_hash="", by="test", at=NOW)
    return Chat(database, NOW, name="Lường Văn Páo")


def judged(
    chat: Chat,
    text: str,
    intent: str | None = "bill_lookup",
    verdict: Verdict = Verdict.RELABELLED,
    *,
    marks: Sequence[tuple[str, str]] = (),
    parts: list[dict[str, Any]] | None = None,
) -> int:
    """`marks`: a text of the message and its kind."""
    message_id = chat.queued(text)
    found = [
        {"start": text.index(value), "end": text.index(value) + len(value), "entity": kind} for value, kind in marks
    ]
    with chat.database.begin() as session:
        reviews.judge(session, message_id, Judgement(verdict, intent, found, parts), staff_id=1, at=NOW)
    return message_id


def written(database: Database, file: Path) -> list[tuple[str, int, str]]:
    """Intent, message and example of each that is exported."""
    count = export(database, file)
    items = yaml.safe_load(file.read_text("utf-8"))["nlu"]
    assert len(items) == count
    return [(item["intent"], item["metadata"]["message"], item["examples"].rstrip("\n")) for item in items]


def test_verdicts_are_written_as_training_data(database: Database, chat: Chat, tmp_path: Path) -> None:
    text = "tien thang nay roi gui ma qr"
    parts = [
        {"start": 0, "end": 15, "intent": "bill_lookup", "entities": [{"start": 5, "end": 14, "entity": "period"}]},
        {"start": 15, "end": len(text), "intent": "pay_bill", "entities": []},
    ]
    split = judged(chat, text, "bill_lookup", Verdict.SPLIT, parts=parts)
    other = judged(chat, "giá vé xe đi Bắc Kạn", "out_of_scope", Verdict.OUT_OF_SCOPE, marks=[("Bắc Kạn", "place")])
    odd = judged(chat, "  [hỏi]\nnợ\u2028😀 : #\ttháng này ", "debt_check", marks=[("tháng này ", "period")])
    judged(chat, "hjhj", None, Verdict.DISCARDED)
    judged(chat, "dài " * 300)
    chat.queued("chưa ai duyệt")
    assert written(database, tmp_path / "f.yml") == [
        ("bill_lookup", split, "- tien [thang nay](period)"),
        ("debt_check", odd, "- (hỏi) nợ 😀 : # [tháng này](period)"),
        ("out_of_scope", other, "- giá vé xe đi [Bắc Kạn](place)"),
        ("pay_bill", split, "- roi gui ma qr"),
    ]


def test_nothing_personal_is_written_not_even_what_only_the_reviewer_saw(
    database: Database, chat: Chat, tmp_path: Path
) -> None:
    text = "Lường Văn Páo mã PA04DH0000123 yêu cầu YC-99 sđt 0912345678"
    judged(chat, text, marks=[("PA04DH0000123", "customer_code"), ("YC-99", "request_code")])
    (found,) = written(database, tmp_path / "f.yml")
    for real in ("Lường", "Páo", "0000123", "99", "0912345678"):
        assert real not in found[2]
    assert "Văn" in found[2]
    assert "](customer_code) yêu cầu [YC-" in found[2]
    assert found == written(database, tmp_path / "f.yml")[0]


def test_no_verdicts_make_an_empty_file(database: Database, tmp_path: Path) -> None:
    assert written(database, tmp_path / "f.yml") == []


def test_many_are_read_in_slices(
    database: Database, chat: Chat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert AT_ONCE > 2
    monkeypatch.setattr("bot.nlu_review.AT_ONCE", 2)
    said = [judged(chat, f"câu {number}") for number in range(5)]
    assert [message_id for _, message_id, _ in written(database, tmp_path / "f.yml")] == said


def test_what_is_settled_is_marked_and_not_written_again(database: Database, chat: Chat, tmp_path: Path) -> None:
    one, two = judged(chat, "câu một"), judged(chat, "câu hai")
    seen: list[str] = []

    def merge(file: Path) -> list[int]:
        seen.append(file.read_text("utf-8"))
        return [one]

    assert apply(database, None, merge, NOW)
    assert "câu một" in seen[0]
    applied = [review_of(database, each).applied_at for each in (one, two)]  # type: ignore[union-attr]
    assert applied == [NOW, None]
    assert [message_id for _, message_id, _ in written(database, tmp_path / "f.yml")] == [two]
    given = tmp_path / "given.yml"
    given.write_text("corrected", "utf-8")
    assert apply(database, given, merge, NOW)
    assert seen[1] == "corrected"


def test_a_refusal_marks_nothing(database: Database, chat: Chat) -> None:
    message_id = judged(chat, "câu này")
    assert not apply(database, None, lambda _file: None, NOW)
    assert review_of(database, message_id).applied_at is None  # type: ignore[union-attr]


def test_the_command(with_database: Trolydien, chat: Chat, tmp_path: Path) -> None:
    """Of an example that the training data have already nothing is trained."""
    known = "lien ket ma kh"
    message_id = judged(chat, known, "link_account")
    file = tmp_path / "out.yml"
    done = with_database.run("nlu-review", "export", str(file))
    assert (done.returncode, done.stdout) == (0, f"1 examples in {file}\n"), done.stderr
    done = with_database.run("nlu-review", "apply", str(file))
    assert done.returncode == 0, done.stderr
    assert "0 new examples; 1 known already" in done.stdout
    assert "restart" in done.stdout
    assert review_of(chat.database, message_id).applied_at  # type: ignore[union-attr]
    file.write_text("a: 1\n", "utf-8")
    done = with_database.run("nlu-review", "apply", str(file))
    assert done.returncode == 1
    assert "no list of training examples" in done.stderr
