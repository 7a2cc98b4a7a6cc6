"""The notices that the company sends by itself, and which of them customers can do without (data/notices.yml)."""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

GroupName = Literal["bill", "reminder", "outage", "usage", "news"]
"""As the NLU's entity `notice_kind` names them."""


NoticeLane = Literal["urgent", "notice", "bulk"]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sending(_Data):
    """How a kind is sent."""

    lane: NoticeLane
    good_for_hours: int
    about: str
    holds_while: Literal["unpaid", "owing", "coming", "out"] | None = None
    only_if_told: bool = False
    at_night: bool = False
    together: bool = False
    repeated: bool = False

    @property
    def is_urgent(self) -> bool:
        """However many were sent."""
        return self.lane == "urgent"


class NoticeKind(_Data):
    """A row of data/notices.yml, where the fields are explained."""

    key: str
    group: GroupName
    title: str
    opt_out: Literal["always", "on", "ask"]
    per: frozenset[Literal["account", "place", "contact"]]
    why: str | None = None
    own_consent: bool = False
    sent: Sending

    @property
    def always(self) -> bool:
        """Can it not be turned off?"""
        return self.opt_out == "always"

    @property
    def unasked(self) -> bool:
        """Does it come to who said nothing about it?"""
        return self.opt_out != "ask"

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.always != (self.why is not None):
            raise ValueError(f"{self.key}: a reason is given for what cannot be turned off, and for nothing else")
        if self.own_consent and self.opt_out != "ask":
            raise ValueError(f"{self.key}: what needs a consent of its own comes only if asked for")
        if ("contact" in self.per) == bool(self.per - {"contact"}):
            raise ValueError(f"{self.key}: a kind goes to accounts and places, or to chats")
        return self


class Group(_Data):
    title: str
    short: str


class NoticeKinds(_Data):
    """All kinds; `words` is the version of the words by which they are chosen."""

    words: str
    groups: Mapping[GroupName, Group]
    kinds: tuple[NoticeKind, ...]

    def named(self, name: str) -> tuple[NoticeKind, ...]:
        """The kinds of a group, or the one kind of that key. Raises KeyError."""
        found = tuple(kind for kind in self.kinds if name in {kind.group, kind.key})
        if not found:
            raise KeyError(name)
        return found

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def __getitem__(self, key: str) -> NoticeKind:
        """The kind of a key. Raises KeyError."""
        return self._by_key[key]

    @cached_property
    def _by_key(self) -> dict[str, NoticeKind]:
        return {kind.key: kind for kind in self.kinds}

    @model_validator(mode="after")
    def _keys_are_unique(self) -> Self:
        names = Counter([*self.groups, *(kind.key for kind in self.kinds)])
        if twice := [name for name, times in names.items() if times > 1]:
            raise ValueError(f"named twice: {twice}")
        return self


def load_notice_kinds(file: Path) -> NoticeKinds:
    """Raises ValueError (pydantic) for data that is not as this module says."""
    return NoticeKinds.model_validate(yaml.safe_load(file.read_text("utf-8")))
