"""The FAQ: its data, and whether the right answer is found (data/faq, docs/faq.md)."""

import re
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from jinja2 import meta

from actions.desk import load_company
from actions.faq import ADVICE, FAQ_FOLDER, Pointer, Topic, faq, load_faq, topic_for
from actions.faq_facts import facts
from actions.hazard_data import load_hazards
from actions.registry import registry
from bot.dialogue.replies import ReplyBook
from bot.pipeline.assembly import DATA
from bot.text import fold

TOPICS_OF_THE_REFERENCE = 85
RIGHT_FIRST = 0.90
QUESTIONS: dict[str, list[str]] = yaml.safe_load(
    (Path(__file__).parents[1] / "fixtures" / "faq_questions.yml").read_text("utf-8")
)
ASKED = [(key, question) for key, questions in QUESTIONS.items() for question in questions]
BOOK = ReplyBook(DATA / "replies", ZoneInfo("Asia/Ho_Chi_Minh"), load_company(DATA).model_dump())
FACTS = facts(date(2026, 11, 24), load_hazards(DATA / "hazards.yml"))
VAT_IS_BACK = facts(date(2027, 1, 1), load_hazards(DATA / "hazards.yml"))


def share(right: list[bool]) -> float:
    return sum(right) / len(right)


def trained() -> dict[str, list[str]]:
    """The examples of data/nlu by intent, their annotations taken off."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in (DATA / "nlu").glob("*.yml"):
        for block in yaml.safe_load(file.read_text("utf-8"))["nlu"]:
            for line in block["examples"].splitlines():
                found[block["intent"]].append(re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", line.removeprefix("- ")))
    return found


class TestFinding:
    def test_every_topic_and_pointer_is_asked_three_times(self) -> None:
        assert set(QUESTIONS) == faq().topics.keys() | faq().pointers.keys()
        assert all(len(questions) >= 3 for questions in QUESTIONS.values())
        assert len(ASKED) >= 150

    def test_the_questions_are_not_the_topics_own(self) -> None:
        own = {fold(ask) for entry in [*faq().topics.values(), *faq().pointers.values()] for ask in entry.asks}
        assert [question for _key, question in ASKED if fold(question) in own] == []

    def test_the_right_one_comes_first(self) -> None:
        assert share([faq().ranked(question)[0].key == key for key, question in ASKED]) >= RIGHT_FIRST

    @pytest.mark.parametrize("kind", ["as typed", "without marks"])
    def test_the_right_topic_under_its_intent(self, kind: str) -> None:
        """Of the questions that are advice alone, each understood as its intent."""
        right = []
        for key, question in ASKED:
            topic = faq().topics.get(key)
            if topic and (own := [intent for intent in ADVICE if intent in topic.intents]):
                found = topic_for(question if kind == "as typed" else fold(question), own[0])
                right.append(found == topic)
        assert share(right) >= 0.85

    def test_no_pointer_s_question_gets_a_topic_in_its_intent_s_place(self) -> None:
        wrong = [
            question
            for key, question in ASKED
            if (pointer := faq().pointers.get(key)) and topic_for(question, pointer.run)
        ]
        assert wrong == []

    def test_messages_of_the_training_data_keep_their_intent_s_answer(self) -> None:
        """All but a few of what customers want done, and nearly all that is none of our business."""
        messages = trained()
        for intent in ("outage_schedule", "outage_status", "debt_check", "due_date", "contract_info", "complaint"):
            assert share([topic_for(text, intent) is not None for text in messages[intent]]) <= 0.02, intent
        foreign = [faq().unmistakable(text) is not None for text in messages["out_of_scope"]]
        assert share(foreign) <= 0.015

    def test_nothing_resembles_a_word_of_no_topic(self) -> None:
        assert topic_for("zzz", "saving_advice") is None
        assert faq().unmistakable("zzz") is None
        assert len(faq().nearest("zzz", "saving_advice")) == 3

    def test_without_words_the_first_are_offered(self) -> None:
        assert [topic.key for topic in faq().nearest("", "solar_ask")] == [
            "solar.steps",
            "solar.sell",
            "solar.business",
        ]


class TestData:
    def test_every_row_of_the_reference_is_covered(self) -> None:
        covered = {row for entry in [*faq().topics.values(), *faq().pointers.values()] for row in entry.covers}
        assert covered == {f"T{number}" for number in range(1, TOPICS_OF_THE_REFERENCE + 1)}

    @pytest.mark.parametrize("topic", faq().topics.values(), ids=lambda topic: topic.key)
    def test_answers_are_short_and_say_nothing_half(self, topic: Topic) -> None:
        for known in (FACTS, VAT_IS_BACK):
            text = BOOK.fill(topic.answer, **known)
            assert 0 < len(text) <= 500
            assert not re.search(r"\{\{|\bNone\b|  |\n\n|\d{4,} đ(?!\w)", text), text
            assert not re.search(r"sẽ (bị )?cắt điện(?! rồi mới chặt)|khởi kiện|cưỡng chế", text)
            assert not re.search(r"(?<!trẻ )\bem\b", text)

    def test_answers_write_no_setting_of_the_company(self) -> None:
        company = load_company(DATA)
        settings = [company.hotline, company.site, company.app, *company.code_prefixes]
        written = [
            (topic.key, setting) for topic in faq().topics.values() for setting in settings if setting in topic.answer
        ]
        assert written == []

    def test_answers_use_known_facts_only(self) -> None:
        names = {
            name
            for topic in faq().topics.values()
            for name in meta.find_undeclared_variables(BOOK._environment.parse(topic.answer))
        }
        assert names <= {"company", *FACTS}

    def test_intents_and_steps_exist(self) -> None:
        served = registry.handlers.keys() | registry.forms.keys()
        steps = {step for topic in faq().topics.values() for step in topic.next}
        intents = {intent for topic in faq().topics.values() for intent in topic.intents}
        runs = {pointer.run for pointer in faq().pointers.values()}
        assert (steps | runs) - served == set()
        assert {step for step in steps if f"intent.{step}" not in BOOK.replies} == set()
        labels = yaml.safe_load((DATA.parent / "nlu" / "domain.yml").read_text("utf-8"))["intents"]
        assert intents <= set(labels)

    def test_every_intent_of_advice_has_topics(self) -> None:
        assert all(len(faq().nearest("", intent)) >= 3 for intent in ADVICE)


GOOD: dict[str, Any] = {
    "title": "Một",
    "asks": ["a b", "b c", "c d"],
    "answer": "Có.",
    "source": "EVN",
    "as_of": date(2026, 11, 23),
    "certainty": "official",
    "intents": ["tariff_ask"],
    "next": ["human"],
    "covers": [],
}
POINTER = {"to.human": {"run": "human", "asks": ["x y", "y z", "z a"], "covers": []}}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"certainty": "sure"}, "one.yml: a.topic.certainty"),
        ({"asks": ["a"]}, "one.yml: a.topic.asks"),
        ({"answr": "x"}, "one.yml: a.topic.answr"),
        ({"title": "x" * 25}, "one.yml: a.topic.title"),
    ],
)
def test_errors_name_file_topic_and_field(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    (tmp_path / "handled.yml").write_text(yaml.safe_dump(POINTER))
    (tmp_path / "one.yml").write_text(yaml.safe_dump({"a.topic": {**GOOD, **change}}))
    with pytest.raises(ValueError, match=re.escape(told)):
        load_faq(tmp_path)


def test_a_topic_written_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "handled.yml").write_text(yaml.safe_dump(POINTER))
    for name in ("one.yml", "two.yml"):
        (tmp_path / name).write_text(yaml.safe_dump({"a.topic": GOOD}))
    with pytest.raises(ValueError, match=r"two\.yml: written twice"):
        load_faq(tmp_path)


def test_what_is_shipped_loads() -> None:
    assert isinstance(load_faq(FAQ_FOLDER).unmistakable("Cho nói chuyện với nhân viên"), Pointer)
