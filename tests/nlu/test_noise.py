"""The ways of writing used for training and measuring."""

import pytest

from nlu.noise import HABITS, generator, rewrite
from nlu.text.marks import fold, has_marks
from nlu.text.views import normalise

TEXTS = ["Cho bác hỏi hóa đơn tiền điện tháng này hết bao nhiêu vậy cháu?", "nhà tôi mất điện rồi", "", "ok", "😀 😀"]


@pytest.mark.parametrize("name", sorted(HABITS))
def test_each_habit_is_repeatable_and_takes_any_text(name: str) -> None:
    for text in TEXTS:
        for copy in range(20):
            first = HABITS[name](text, generator(1, text, copy))
            assert HABITS[name](text, generator(1, text, copy)) == first


def test_rewriting_depends_only_on_text_seed_and_copy() -> None:
    text = TEXTS[0]
    assert rewrite(text, generator(1, text, 0)) == rewrite(text, generator(1, text, 0))
    spellings = {rewrite(text, generator(1, text, copy)) for copy in range(40)}
    assert len(spellings) > 20


def test_about_half_of_the_rewritings_have_no_marks() -> None:
    text = TEXTS[0]
    unmarked = sum(not has_marks(rewrite(text, generator(3, text, copy))) for copy in range(400))
    assert 120 < unmarked < 300


@pytest.mark.parametrize("name", ["telex", "vni"])
def test_keyboard_slips_are_read_back(name: str) -> None:
    text = "tiền điện tháng trước nhà tôi được bao nhiêu"
    readable = 0
    for copy in range(30):
        typed = HABITS[name](text, generator(2, text, copy))
        readable += normalise(typed).accented == text
    assert readable >= 15


def test_stripping_is_folding() -> None:
    assert HABITS["strip_marks"](TEXTS[0], generator(0, "")) == fold(TEXTS[0])
