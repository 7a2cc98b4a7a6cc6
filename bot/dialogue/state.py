"""What the dialogue remembers between two messages of one conversation. Bounded: it does not grow with time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, Field

from bot.dialogue.commands import Command
from bot.messages import Attachment

FORM_LIFETIME = timedelta(hours=24)
TOPIC_LIFETIME = timedelta(minutes=30)
MAX_PAUSED_FORMS = 2
FILES_LIFETIME = timedelta(minutes=30)
"""So long after they came pictures and files go with what is reported next."""
MAX_FILES = 6
UPSET_LIFETIME = timedelta(hours=1)
"""So long after an insult another one is one too many."""


class FormState(BaseModel):
    """A form being filled in: the values so far, the field asked for last, and how often in vain.

    `lifetime`: how long after the last answer it can be gone on with.
    """

    name: str
    values: dict[str, Any] = Field(default_factory=dict)
    asking: str | None = None
    reviewing: bool = False
    tries: int = 0
    touched_at: datetime
    lifetime: timedelta = FORM_LIFETIME


class Choice(BaseModel):
    """An option last offered: typing its number or its title does what tapping it does."""

    title: str
    command: Command


class Topic(BaseModel):
    """What was answered last, so that "thế còn tháng 9?" can be understood."""

    command: Command
    at: datetime

    def about(self, *, link: int) -> "Topic":
        """The same of another account."""
        return self.model_copy(update={"command": self.command.with_slots(link=link)})


class SentFile(BaseModel):
    """A picture or file that came of late, as the platform keeps it."""

    url: str
    size: int | None = None
    at: datetime


class DialogueState(BaseModel):
    """`pending`: what is answered once an account is linked; `next`: the second of two requests, answered once the
    question that the first one needed is answered. `files`: sent of late and gone with no report yet. `upset_at`: the
    last insult.
    """

    greeted: bool = False
    form: FormState | None = None
    paused: list[FormState] = Field(default_factory=list)
    pending: Command | None = None
    next: Command | None = None
    choices: list[Choice] = Field(default_factory=list)
    on_yes: Command | None = None
    on_no: Command | None = None
    topic: Topic | None = None
    misses: int = 0
    default_link: int | None = None
    files: list[SentFile] = Field(default_factory=list)
    upset_at: datetime | None = None

    def forget_old(self, now: datetime) -> bool:
        """Drop forms and topics that are too old to go on with. True if a form was dropped."""
        expired = [form for form in [self.form, *self.paused] if form and now - form.touched_at > form.lifetime]
        if self.form in expired:
            self.form = None
        self.paused = [form for form in self.paused if form not in expired]
        if expired:
            self.next = None
        if self.topic and now - self.topic.at > TOPIC_LIFETIME:
            self.topic = None
        self.files = [file for file in self.files if now - file.at <= FILES_LIFETIME]
        if self.upset_at and now - self.upset_at > UPSET_LIFETIME:
            self.upset_at = None
        return bool(expired)

    def hear(self, told: Command, now: datetime) -> None:
        """We wrote to the customer of this: what they say next may be about it, and about its account."""
        self.topic = Topic(command=told, at=now)
        if told.slots.link is not None:
            self.default_link = told.slots.link

    def keep_files(self, files: Sequence[Attachment], now: datetime) -> None:
        """For the report that they may belong to."""
        sent = [SentFile(url=str(file.url), size=file.size, at=now) for file in files]
        self.files = [*self.files, *sent][-MAX_FILES:]

    def drop_files(self, files: Sequence[Attachment]) -> None:
        """They were what a form asked for."""
        answered = {file.url for file in files}
        self.files = [file for file in self.files if file.url not in answered]

    def take_files(self) -> list[SentFile]:
        """What goes with a report now, and with no other."""
        taken, self.files = self.files, []
        return taken

    def pause_form(self) -> None:
        if self.form:
            self.paused = [*self.paused, self.form][-MAX_PAUSED_FORMS:]
            self.form = None
