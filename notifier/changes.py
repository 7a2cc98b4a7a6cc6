"""Taking in what changed at the utility: each change becomes the notices it gives occasion to, once."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy.orm import Session

from actions.backends.models import Change, UsageFlagged
from bot.store import notices
from notifier.drafts import Draft, Drafting, Off


class Intake:
    def __init__(self, drafting: Drafting) -> None:
        self._drafting = drafting

    def take(self, session: Session, changes: Sequence[Change], now: datetime) -> None:
        """In the feed's order. A repeat is a no-op."""
        watched = notices.with_levels(session, filter(None, map(_so_far_of, changes)))
        drafts: dict[str, Draft] = {}
        for change in changes:
            if (code := _so_far_of(change)) and code not in watched:
                continue
            for each in self._drafting.told(change, now):
                if isinstance(each, Off):
                    self._write(session, drafts)
                    notices.supersede(session, each.subject)
                else:
                    drafts.setdefault(each.key, each)
        self._write(session, drafts)

    @staticmethod
    def _write(session: Session, drafts: dict[str, Draft]) -> None:
        """Newer versions of a subject take the place of older ones that are not told yet."""
        newest: dict[str, int] = {}
        for draft in drafts.values():
            newest[draft.subject] = max(draft.version, newest.get(draft.subject, 0))
        notices.add(session, [asdict(draft) for draft in drafts.values()])
        for subject, version in newest.items():
            if version > 1:
                notices.supersede(session, subject, below=version)
        drafts.clear()


def _so_far_of(change: Change) -> str | None:
    """Whose month so far it tells, which is news only to who set a level for it."""
    tells = isinstance(change, UsageFlagged) and change.usage.flag == "so_far"
    return change.usage.customer_code if tells else None  # type: ignore[union-attr]
