"""Two requests in one message: where it is cut, and what is no second request."""

from nlu.requests import Request, requests
from nlu.text.marks import fold

MEANINGS = {
    "con no bao nhieu": "debt_check",
    "nop bang cach nao": "payment_channels",
    "mat dien": "outage_report",
    "bao gio co dien": "outage_status",
    "toe lua": "hazard_report",
    "sao cao the": "bill_explain",
    "tien dien thang nay bao nhieu": "bill_lookup",
    "cam on": "thank",
}


def guess(text: str) -> "tuple[str, float]":
    """The intent of the only known phrase in the text, for sure; unsure where there is none, or several."""
    found = [meaning for phrase, meaning in MEANINGS.items() if phrase in fold(text).lower()]
    return (found[0], 0.99) if len(found) == 1 else ("out_of_scope", 0.4)


def found(text: str) -> "list[tuple[str, str]]":
    return [(request.intent, text[request.start : request.end].strip(" ,.?")) for request in requests(text, guess)]


def test_joined_by_a_word_or_by_a_sentence() -> None:
    assert found("con no bao nhieu va nop bang cach nao") == [
        ("debt_check", "con no bao nhieu"),
        ("payment_channels", "va nop bang cach nao"),
    ]
    assert found("Còn nợ bao nhiêu? Nộp bằng cách nào?") == [
        ("debt_check", "Còn nợ bao nhiêu"),
        ("payment_channels", "Nộp bằng cách nào"),
    ]


def test_offsets_are_those_of_the_text_as_sent() -> None:
    text = "Tie\u0302\u0300n đie\u0323\u0302n tháng này bao nhiêu, mà sao cao thế"
    first, second = requests(text, guess)
    assert text[first.start : first.end] == "Tie\u0302\u0300n đie\u0323\u0302n tháng này bao nhiêu,"
    assert text[second.start : second.end] == " mà sao cao thế"


def test_danger_is_handled_first() -> None:
    assert [intent for intent, _ in found("tien dien thang nay bao nhieu, a ma cot dien toe lua")] == [
        "hazard_report",
        "bill_lookup",
    ]


def test_what_is_one_request() -> None:
    one = (
        "con no bao nhieu",
        "mat dien, bao gio co dien",  # tells of the cut and asks when it ends
        "cam on, con no bao nhieu",
        "con no bao nhieu, con no bao nhieu vay",
        "thang truoc dong roi, con no bao nhieu",
        "",
        ",,, va va ???",
    )
    for text in one:
        assert requests(text, guess) == (), text


def test_a_word_typed_with_other_marks_joins_nothing() -> None:
    assert requests("con no bao nhieu tiền nop bang cach nao", guess) == ()
    assert len(requests("con no bao nhieu tiện nop bang cach nao", guess)) == 2


def test_unsure_clauses_are_not_taken_apart() -> None:
    def unsure(text: str) -> "tuple[str, float]":
        return guess(text)[0], 0.7

    assert requests("con no bao nhieu va nop bang cach nao", unsure) == ()


def test_a_request_names_itself() -> None:
    (first, _second) = requests("con no bao nhieu va nop bang cach nao", guess)
    assert first == Request("debt_check", 0.99, 0, 17)
