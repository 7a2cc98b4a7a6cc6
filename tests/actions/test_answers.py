"""The phrases by which answers are read (data/answers.yml)."""

from pathlib import Path

import pytest

from actions.answers import load_answers, option_meant
from bot.pipeline.assembly import DATA


def test_a_word_that_yaml_reads_as_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "answers.yml"
    file.write_text("question: {option: [tien, no]}", "utf-8")
    with pytest.raises(ValueError, match=r"question\S*\.option\.1"):
        load_answers(file)


def test_a_debt_is_no_name_of_an_account() -> None:
    assert "no" in load_answers(DATA / "answers.yml")["account.naming"]["reserved"]


def test_the_longest_phrase_counts() -> None:
    answers = {"power": {"back": ["co dien"], "not_back": ["chua co dien"]}}
    assert option_meant(answers, "power", "Vẫn CHƯA có  điện") == "not_back"
    assert option_meant(answers, "power", "cột điện") is None


def test_punctuation_is_no_part_of_a_word() -> None:
    answers = {"power": {"back": ["co dien"]}}
    assert option_meant(answers, "power", "Có điện, cảm ơn") == option_meant(answers, "power", "(có điện)") == "back"


def test_what_stands_between_words_ends_them_too() -> None:
    answers = {"use": {"trade": ["kinh doanh"], "work": ["kinh doanh, sản xuất"]}}
    assert option_meant(answers, "use", "sang kinh doanh, làm giúp tôi") == "trade"
    assert option_meant(answers, "use", "kinh doanh/sản xuất.") == "work"
