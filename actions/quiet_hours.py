"""When somebody does not want to be written to, from what they say: "đừng nhắn sau 9 giờ tối", "chỉ nhắn ban ngày"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from itertools import product
from typing import Literal

from actions.notice_words import DayPart, NoticeWords
from actions.said import Said
from bot.store.preferences import QuietHours
from bot.text import fold

NIGHT = QuietHours(time(22), time(7))
ALWAYS = QuietHours(time(0), time(0))
"""No quiet hours."""
LONGEST_MINUTES = 22 * 60
"""Quiet for longer leaves no time to write at all."""
LIKELY_MINUTES = 12 * 60
NOON = QuietHours(time(11), time(14, 30))
UNITS = ("giờ", "h", "g", "rưỡi")
STOPS = (",", ".", ";", "!", "?")
TIME = re.compile(
    r"(?<!\S)(?P<hour>\d{1,2}) (?:(?:h|g|gio|:)(?: (?P<minute>\d{2}))?(?: (?P<half>ruoi))?|(?P<past>ruoi))(?!\S)"
    r"(?: (?:buoi |ban )?(?P<part>sang|trua|chieu|toi(?! \d)|dem|khuya)(?!\S))?"
)
NO_UNIT_BEFORE = re.compile(r"(?<!\S)(?<!: )(?<!h )(?<!g )(?<!gio )(\d{1,2}) den (?=\d)")
NO_UNIT_AFTER = re.compile(r"(?<= den )(\d{1,2})(?!\S)(?! (?:h|g|gio|:|ruoi)(?!\S))")
SPELLED_AS = {"đến": "den", "tới": "den", "giờ": "gio", "rưỡi": "ruoi", "tôi": "minh"}
"""Before marks are left out, so that "tới" and "tôi" are no evening ("tối")."""

Sense = Literal["quiet", "allowed"]


class BadHours(Exception):
    """Hours were said that are none, or that leave no time to write at all."""


@dataclass(frozen=True)
class _Told:
    """A time of day; `readings` is what it may mean. `first` and `end` are numbers of words."""

    readings: tuple[time, ...]
    first: int
    end: int


def hours_said(
    words: NoticeWords, text: str, present: QuietHours, *, by_clock: bool = False, asked: bool = False
) -> QuietHours | None:
    """The quiet hours that a message asks for, in the light of the present ones; None if it says none.

    `by_clock`: only if it names hours, not parts of the day; `asked`: it answers the question when to be quiet.
    Raises BadHours.
    """
    reading = _Reading(words, text, present, "quiet" if asked else None)
    if reading.said.has(words.hours.none):
        return ALWAYS
    found = reading.of_times() or (None if by_clock else reading.of_parts())
    if found and not 0 < found.minutes <= LONGEST_MINUTES:
        raise BadHours
    return found


class _Reading:
    def __init__(self, words: NoticeWords, text: str, present: QuietHours, default: Sense | None) -> None:
        self.default = default
        self.words = words
        self.present = present
        self.said = Said(_with_units(_with_digits(words, text)))
        self.told = list(_times(" ".join(fold(word.written) for word in self.said.words)))

    def of_times(self) -> QuietHours | None:
        """A span of two times, or one from or until a time; None if it is not clear which."""
        if len(self.told) >= 2 and self._joined(*self.told[:2]):
            one, other = self.told[:2]
            allowed = (self._sense(*self._clause(one.first)) or self._sense()) == "allowed"
            starts, ends = (other, one) if allowed else (one, other)
            if any(len(told.readings) == 1 and told.readings[0] >= time(13) for told in (one, other)):
                return self._likeliest(starts.readings[:1], ends.readings[:1])  # told by a clock of 24 hours
            return self._likeliest(starts.readings, ends.readings)
        if len(self.told) != 1:
            return None
        [one] = self.told
        sense = self._sense(*self._clause(one.first))
        if sense is None and not any(self._parts()):
            sense = self._sense()
        if sense is None:
            return None
        before, after = (
            self.said.find(phrases, max(0, one.first - 1), one.first)
            for phrases in (self.words.hours.before, self.words.hours.after)
        )
        if sense == "allowed":
            ends_then = not before
        elif before or after:
            ends_then = bool(before)
        elif min(one.readings) >= time(12):
            ends_then = False
        else:
            return None
        if ends_then:
            return self._likeliest((self.present.starts,), one.readings)
        return self._likeliest(one.readings, (self.present.ends,))

    def of_parts(self) -> QuietHours | None:
        """The night, the noon …: what is not wanted then, or wanted only then."""
        allowed = None
        for part, sense in self._parts():
            if sense == "quiet":
                return self._joined_to_present(part.quiet)
            allowed = allowed or QuietHours(part.allowed.ends, part.allowed.starts)
        return allowed

    def _parts(self) -> Iterator[tuple[DayPart, Sense]]:
        """The parts of the day that the message speaks of by themselves, and how.

        One word without its marks is too little: "toi" is "tôi" more often than "tối".
        """
        for part in self.words.parts:
            for found in self.said.find(part.said):
                of_a_time = any(one.first <= found.first < one.end for one in self.told)
                word = self.said.words[found.first].written
                unclear = found.end - found.first == 1 and word == fold(word)
                sense = self._sense(*self._clause(found.first))
                if sense and not of_a_time and not unclear:
                    yield part, sense

    def _joined(self, one: _Told, other: _Told) -> bool:
        between = self.said.words[one.end : other.first]
        return all(fold(word.written) in {"den", "cho", "toi"} for word in between)

    def _clause(self, at: int) -> tuple[int, int]:
        stops = [found.first for found in self.said.find(STOPS)]
        first = max((stop + 1 for stop in stops if stop < at), default=0)
        return first, min((stop for stop in stops if stop > at), default=len(self.said.words))

    def _sense(self, first: int = 0, end: int | None = None) -> Sense | None:
        """Is it about when nothing is to come, or about when something may? What is said first counts."""
        senses: dict[Sense, tuple[str, ...]] = {
            "quiet": self.words.hours.quiet,
            "allowed": self.words.hours.allowed,
        }
        places = {sense: self.said.find(phrases, first, end) for sense, phrases in senses.items()}
        said = [(found[0].first, sense) for sense, found in places.items() if found]
        return min(said)[1] if said else self.default

    def _likeliest(self, starts: tuple[time, ...], ends: tuple[time, ...]) -> QuietHours:
        """Of all readings: at noon if noon is named, else by night, and not most of the day."""
        noon = self.said.has(self.words.hours.lunch)

        def unlikely(hours: QuietHours) -> tuple[bool, bool, bool]:
            usual = NOON.cover(hours.starts) and NOON.cover(hours.ends) if noon else hours.touch(NIGHT)
            return not 0 < hours.minutes <= LONGEST_MINUTES, hours.minutes > LIKELY_MINUTES, not usual

        return min((QuietHours(*edges) for edges in product(starts, ends)), key=unlikely)

    def _joined_to_present(self, hours: QuietHours) -> QuietHours:
        """Quiet then, too, where the two touch; else only then."""
        present = self.present
        if not present.minutes or not hours.touch(present):
            return hours
        starts = present.starts if present.cover(hours.starts) or present.ends == hours.starts else hours.starts
        ends = present.ends if present.cover(hours.ends) or hours.ends == present.starts else hours.ends
        return QuietHours(starts, ends)


def _with_digits(words: NoticeWords, text: str) -> str:
    """Numbers in words before a unit of time as digits: "chín rưỡi" → "9 rưỡi". "Sau giờ" is not "sáu giờ"."""
    said = Said(text)
    for found in reversed(said.find(words.numbers)):
        if found.end < len(said.words) and said.find(UNITS, found.end, found.end + 1) and found.phrase in words.numbers:
            first, last = said.words[found.first], said.words[found.end - 1]
            if text[first.start : last.end].lower() != "sau":
                text = f"{text[: first.start]}{words.numbers.index(found.phrase)}{text[last.end :]}"
    return text


def _with_units(text: str) -> str:
    """ "21 đến 6h" → "21 h den 6 h"."""
    plain = " ".join(SPELLED_AS.get(word.written, word.written) for word in Said(text).words)
    return NO_UNIT_AFTER.sub(r"\1 h", NO_UNIT_BEFORE.sub(r"\1 h den ", plain))


def _times(plain: str) -> Iterator[_Told]:
    """Raises BadHours for an hour or minute that no clock shows."""
    for found in TIME.finditer(plain):
        hour = int(found["hour"])
        minute = 30 if found["half"] or found["past"] else int(found["minute"] or 0)
        if hour > 24 or minute > 59:
            raise BadHours
        first = plain[: found.start()].count(" ")
        readings = tuple(time(each % 24, minute) for each in _hours(hour, found["part"]))
        yield _Told(readings, first, first + found[0].count(" ") + 1)


def _hours(hour: int, part: str | None) -> tuple[int, ...]:
    """What an hour may mean: with a part of the day one thing, without, up to noon, two."""
    match part:
        case "sang":
            return (hour % 12 if hour == 12 else hour,)
        case "trua":
            return (hour + 12 if hour < 4 else hour,)
        case "chieu":
            return (hour + 12 if hour < 12 else hour,)
        case "toi" | "dem" | "khuya":
            late = 1 if part == "toi" else 5
            return ((hour + 12) % 24 if late < hour <= 12 or (part == "toi" and hour < 12) else hour,)
    return (hour, (hour + 12) % 24) if hour <= 12 else (hour,)
