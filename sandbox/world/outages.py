"""Planned and unplanned cuts over the places of the world, as they are known at a moment.

Every day has its own, following from the seed; the personas' and those made by hand come on top. The places of personas
have only the latter, so that their stories hold.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

from actions.backends.models import Outage, OutageKind, OutageState
from sandbox.world.dates import days, local_day, local_instant
from sandbox.world.people import Record, hamlets
from sandbox.world.places import Place, offices, places, read_yaml

_VOCABULARY: Final = read_yaml("vocabulary.yml")
_NOTICE: Final = timedelta(days=7)  # the law asks for 5 (electricity.md §3.1)
_KNOWN_AFTER: Final = timedelta(minutes=10)
_ESTIMATE_AFTER: Final = timedelta(minutes=25)
_INSTANT: Final = timedelta(microseconds=1)
_LASTS_AT_MOST: Final = timedelta(days=1)
_PLANNED_STARTS: Final = [(7, 30), (8, 0), (13, 30)]


@dataclass(frozen=True, slots=True)
class Cut:
    """One cut with its whole course; what is known of it depends on when one asks.

    `hamlets` names those affected, none meaning the whole of `places`; at `revised_at` the end became `late_end`.
    Until `estimated_at` nobody knows the end.
    """

    id: str
    kind: OutageKind
    places: tuple[Place, ...]
    hamlets: tuple[str, ...]
    start: datetime
    end: datetime | None
    reason: str
    feeder: str | None
    published_at: datetime
    cancelled_at: datetime | None = None
    revised_at: datetime | None = None
    late_end: datetime | None = None
    estimated_at: datetime | None = None
    restored_at: datetime | None = None
    changes: int = 0

    def known(self, now: datetime) -> Outage | None:
        """The outage as it is published by `now`; None before that."""
        if now < self.published_at:
            return None
        revised = self.revised_at is not None and self.revised_at <= now
        cancelled = self.cancelled_at is not None and self.cancelled_at <= now
        unknown = self.estimated_at is not None and now < self.estimated_at
        estimated = self.estimated_at is not None and not unknown
        end = self.late_end if revised else self.end
        over = self._over
        state: OutageState = "active"
        if cancelled:
            state = "cancelled"
        elif now < self.start:
            state = "planned"
        elif over is not None and over <= now:
            state = "restored"
        return Outage(
            id=self.id,
            version=1 + estimated + revised + cancelled + self.changes,
            kind=self.kind,
            state=state,
            start=self.start,
            expected_end=None if unknown else end,
            actual_end=over if state == "restored" else None,
            area_text=self._area(),
            place_codes=tuple(place.code for place in self.places),
            reason=self.reason,
            feeder=self.feeder,
            published_at=self.published_at,
        )

    def turns(self, since: datetime, until: datetime) -> list[tuple[datetime, Outage]]:
        """What became known of it after `since` and until `until`, each with its instant, in order."""
        moments = {self.published_at, self.start, self.cancelled_at, self.revised_at, self.estimated_at, self._over}
        found: list[tuple[datetime, Outage]] = []
        for at in sorted(at for at in moments if at is not None and since < at <= until):
            outage = self.known(at)
            if outage is not None and outage != self.known(at - _INSTANT):
                found.append((at, outage))
        return found

    def touches(self, first: datetime, last: datetime) -> bool:
        ends = [end for end in (self.end, self.late_end, self.restored_at) if end is not None]
        return self.start <= last and (not ends or max(ends) >= first)

    def reaches(self, record: Record) -> bool:
        """Whether a customer is within it."""
        return record.place in self.places and (not self.hamlets or record.hamlet in self.hamlets)

    @property
    def _over(self) -> datetime | None:
        return self.restored_at or (self.late_end if self.revised_at else self.end)

    def _area(self) -> str:
        names = ", ".join(place.full_name for place in self.places)
        form: str = _VOCABULARY["area" if self.hamlets else "whole_area"]
        text = form.format(place=names, hamlets=", ".join(name[0].lower() + name[1:] for name in self.hamlets))
        return text[0].upper() + text[1:]


class OutageBook:
    """All cuts. Not thread-safe: the world's lock is held by whoever asks."""

    def __init__(self, seed: int, now: datetime, story_places: frozenset[str]) -> None:
        self._seed = seed
        self._story_places = story_places
        self._own: dict[str, Cut] = {cut.id: cut for cut in _of_stories(now)}
        self._days: dict[date, list[Cut]] = {}

    def between(self, first: datetime, last: datetime, now: datetime) -> list[tuple[Cut, Outage]]:
        """Cuts known by `now` that touch the span, by start."""
        found: list[tuple[Cut, Outage]] = []
        for cut in self._cuts(first, last):
            outage = cut.known(now)
            if outage is not None and cut.touches(first, last):
                found.append((cut, outage))
        return sorted(found, key=lambda pair: (pair[1].start, pair[1].id))

    def add(self, cut: Cut) -> None:
        self._own[cut.id] = cut

    def change(self, outage_id: str, **changes: Any) -> Cut:
        """Change a cut made by hand or by a story, and raise its version. Raises KeyError."""
        cut = self._own[outage_id]
        self._own[outage_id] = replace(cut, changes=cut.changes + 1, **changes)
        return self._own[outage_id]

    def find(self, outage_id: str, now: datetime) -> Outage | None:
        cut = self.cut(outage_id, now)
        return cut.known(now) if cut else None

    def cut(self, outage_id: str, now: datetime) -> Cut | None:
        """One with its whole course, of the last and next 31 days."""
        if outage_id in self._own:
            return self._own[outage_id]
        recent = self._cuts(now - timedelta(days=31), now + timedelta(days=31))
        return next((each for each in recent if each.id == outage_id), None)

    def own(self, now: datetime) -> list[Outage]:
        """Those that can be changed by hand and are not over, by start."""
        known = [outage for cut in self._own.values() if (outage := cut.known(now)) is not None]
        return sorted((each for each in known if each.state in {"planned", "active"}), key=lambda each: each.start)

    def turns(self, since: datetime, until: datetime) -> list[tuple[datetime, Outage]]:
        """What became known of all of them after `since` and until `until`, in order."""
        near = self._cuts(since - _LASTS_AT_MOST, until + _NOTICE + _LASTS_AT_MOST)
        found = [turn for cut in near for turn in cut.turns(since, until)]
        return sorted(found, key=lambda turn: (turn[0], turn[1].id))

    def _cuts(self, first: datetime, last: datetime) -> Iterator[Cut]:
        yield from self._own.values()
        for day in days(local_day(first) - timedelta(days=1), local_day(last)):
            if day not in self._days:
                self._days[day] = [*self._planned(day), *self._unplanned(day)]
            yield from self._days[day]

    def _places(self, random: Random) -> tuple[Place, ...]:
        office = random.choice(list(offices().values()))
        free = [code for code in office.place_codes if code not in self._story_places]
        return tuple(places()[code] for code in random.sample(free, min(len(free), random.choice([1, 1, 2]))))

    def _planned(self, day: date) -> Iterator[Cut]:
        random = Random(f"{self._seed}|planned|{day}")
        for number in range(1, random.randrange(1, 3) if day.weekday() == 6 else random.randrange(3, 6)):
            hit = self._places(random)
            start = local_instant(day, *random.choice(_PLANNED_STARTS))
            end = start + timedelta(minutes=30 * random.randrange(4, 9))
            course = random.random()
            day_before = start - timedelta(hours=random.randrange(18, 40))
            yield Cut(
                id=f"KH-{day:%Y-%m%d}-{number:02d}",
                kind="planned",
                places=hit,
                hamlets=tuple(random.sample(hamlets(hit[0]), 3)) if len(hit) == 1 else (),
                start=start,
                end=end,
                reason=random.choice(_VOCABULARY["planned_reasons"]),
                feeder=feeder_of(hit[0]),
                published_at=local_instant(day, 9) - _NOTICE,
                cancelled_at=day_before if course < 0.06 else None,
                revised_at=day_before if course > 0.9 else None,
                late_end=end + timedelta(hours=1) if course > 0.9 else None,
            )

    def _unplanned(self, day: date) -> Iterator[Cut]:
        random = Random(f"{self._seed}|unplanned|{day}")
        for number in range(1, random.choices([1, 2, 3], [45, 40, 15])[0]):
            hit = self._places(random)
            start = local_instant(day, random.randrange(24), random.randrange(60))
            yield Cut(
                id=f"SC-{day:%Y-%m%d}-{number:02d}",
                kind="unplanned",
                places=hit,
                hamlets=(),
                start=start,
                end=start + timedelta(minutes=random.randrange(35, 190)),
                reason=random.choice(_VOCABULARY["unplanned_reasons"]),
                feeder=feeder_of(hit[0]),
                published_at=start + _KNOWN_AFTER,
                estimated_at=start + _ESTIMATE_AFTER,
            )


def feeder_of(place: Place) -> str:
    """The line that supplies most of a place."""
    number = int(place.code)
    return f"{371 + 100 * (number % 2) + number % 5}E{26 if place.code < '05000' else 6}.{1 + number % 9}"


def _of_stories(now: datetime) -> Iterator[Cut]:
    for entry in read_yaml("personas.yml")["outages"]:
        if entry["kind"] == "planned":
            day = local_day(now) + timedelta(days=entry["day"])
            start, end = (local_instant(day, *map(int, entry[edge].split(":"))) for edge in ("from", "to"))
            published = local_instant(local_day(now) - timedelta(days=entry["published_days_ago"]), 9)
            estimated, cancelled = None, now - timedelta(hours=2) if entry.get("cancelled") else None
        else:
            start = now - timedelta(minutes=entry["minutes_ago"])
            end = start + timedelta(minutes=entry["lasts_minutes"])
            published, estimated, cancelled = start + _KNOWN_AFTER, start + _ESTIMATE_AFTER, None
        yield Cut(
            id=entry["id"],
            kind=entry["kind"],
            places=(places()[entry["place"]],),
            hamlets=tuple(entry["hamlets"]),
            start=start,
            end=end,
            reason=entry["reason"],
            feeder=entry["feeder"],
            published_at=published,
            cancelled_at=cancelled,
            estimated_at=estimated,
        )
