"""Which days are to be counted for the figures, and what was not understood on them (F28, docs/figures.md)."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from actions.backends.errors import BackendError
from actions.backends.service import ServiceClient
from bot.console.masking import COVER, cover, find_personal
from bot.logs import get_logger
from bot.store import figures
from bot.store.database import Database
from bot.store.figures import AREA_LENGTH, Unanswered, Wording
from bot.text import fold

MOST_DAYS: Final = 31
"""Counted in one run, each in a transaction of its own; the next run goes on."""
SETTLED_AFTER: Final = timedelta(hours=1)
"""So long after midnight what came on the day is answered, or never is."""
LONGEST_WORDING: Final = 80
MOST_WORDINGS: Final = 200
"""Kept of one day, the most frequent first."""

log = get_logger(__name__)


def count_due(database: Database, zone: ZoneInfo, now: datetime, *, words_kept: timedelta) -> None:
    """Count today and what is not yet final before it. May be run again at any time."""
    today = now.astimezone(zone).date()
    with database.begin() as session:
        final, began = figures.last_final_day(session), figures.began_at(session)
    day = final + timedelta(days=1) if final else began.astimezone(zone).date() if began else today
    for later in range(min(MOST_DAYS, (today - day).days + 1)):
        _count(database, zone, day + timedelta(days=later), now)
    with database.begin() as session:
        figures.forget_wordings(session, today - words_kept)


def name_areas(database: Database, service: ServiceClient) -> None:
    """Ask the company what its units are called, while there is one of which that is not known.

    Where it does not say, pages show the code.
    """
    with database.begin() as session:
        if not figures.has_unnamed_areas(session):
            return
    try:
        offices = service.offices().items
    except BackendError as error:
        log.warning("areas_not_named", error=type(error).__name__)
        return
    with database.begin() as session:
        figures.name_areas(session, {office.code: office.name for office in offices if len(office.code) == AREA_LENGTH})


def _count(database: Database, zone: ZoneInfo, day: date, now: datetime) -> None:
    start, until = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    with database.begin() as session:
        figures.count_day(session, day, start, until, now=now, final=now >= until + SETTLED_AFTER)
        figures.keep_wordings(session, day, group(figures.unanswered(session, start, until)))


def group(texts: Iterable[Unanswered]) -> list[Wording]:
    """Wordings without personal data; those that differ only in case, tone marks and punctuation count together."""
    found: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for each in texts:
        spans = find_personal(each.text, entities=each.entities, names=filter(None, [each.name]))
        shown = " ".join(cover(each.text, spans).split())[:LONGEST_WORDING]
        folded = " ".join(re.findall(r"\w+", fold(shown)))
        if folded and shown.replace(COVER, "").strip():
            found[each.area, each.channel, folded][shown] += 1
    grouped = [
        Wording(area, channel, folded, forms.most_common(1)[0][0], forms.total())
        for (area, channel, folded), forms in found.items()
    ]
    return sorted(grouped, key=lambda each: (-each.times, each.folded, each.area, each.channel))[:MOST_WORDINGS]
