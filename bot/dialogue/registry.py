"""Where actions say which intents and forms they handle."""

from collections.abc import Callable
from typing import Generic

from bot.dialogue.commands import Command, Slots
from bot.dialogue.forms import Form
from bot.dialogue.turn import D, Turn

Handler = Callable[[Turn[D], Slots], Command | None]
"""Answers; or returns the request as a command that says all that the message said, so that it can be carried out later
(once an account is linked or chosen, when a backend is back)."""
Recogniser = Callable[[Turn[D]], Command | None]
"""Sees at once what an event asks for, whatever the dialogue is at: by a form of its own that no other text has."""
Advisor = Callable[[Turn[D], str | None], Command | None]
"""Knows better than the intent what a message asks. The intent is None where none is sure, and where there are two: one
story may look like two requests."""


class Registry(Generic[D]):
    """Handlers by intent (or command), forms by name, and what to say when a handler fails in a known way."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler[D]] = {}
        self.forms: dict[str, type[Form]] = {}
        self.recognisers: list[Recogniser[D]] = []
        self.advisors: list[Advisor[D]] = []
        self.failures: dict[type[Exception], str] = {}
        self.owners: dict[str, frozenset[str]] = {}

    def handles(self, *names: str) -> Callable[[Handler[D]], Handler[D]]:
        def register(handler: Handler[D]) -> Handler[D]:
            for name in names:
                assert name not in self.handlers, f"{name} has two handlers"
                self.handlers[name] = handler
            return handler

        return register

    def form(self, name: str) -> Callable[[type[Form]], type[Form]]:
        def register(form: type[Form]) -> type[Form]:
            assert name not in self.forms, f"{name} is two forms"
            self.forms[name] = form
            return form

        return register

    def recognises(self, recogniser: Recogniser[D]) -> Recogniser[D]:
        """Have `recogniser` look at each event before it is understood."""
        self.recognisers.append(recogniser)
        return recogniser

    def recognised(self, turn: Turn[D]) -> Command | None:
        """What the first recogniser that knows the event makes of it."""
        return next((command for know in self.recognisers if (command := know(turn))), None)

    def advises(self, advisor: Advisor[D]) -> Advisor[D]:
        """Have `advisor` look at each message before its intent is followed, and before it is given up."""
        self.advisors.append(advisor)
        return advisor

    def advised(self, turn: Turn[D], intent: str | None) -> Command | None:
        """What the first advisor that knows better makes of the message."""
        return next((command for know in self.advisors if (command := know(turn, intent))), None)

    def belongs(self, slot: str, *names: str) -> None:
        """A value of this kind is only about these requests: any other is not asked again with it."""
        self.owners[slot] = frozenset(names)

    def goes_on(self, name: str, said: Slots) -> bool:
        """May the request `name` be asked again with what is said now?"""
        return all(name in names for names in self._owners_of(said))

    def is_about(self, name: str, said: Slots) -> bool:
        """Is a value said that only `name` and its like are about?"""
        return any(name in names for names in self._owners_of(said))

    def _owners_of(self, said: Slots) -> list[frozenset[str]]:
        return [names for slot, names in self.owners.items() if getattr(said, slot) is not None]

    def failure(self, error: type[Exception], reply: str) -> None:
        """Say `reply` when a handler raises `error`."""
        self.failures[error] = reply

    def name_of(self, form: type[Form]) -> str:
        return next(name for name, known in self.forms.items() if known is form)

    def reply_for(self, error: Exception) -> str | None:
        """The reply of the nearest registered class of the error; None if it is not a known failure."""
        return next((self.failures[kind] for kind in type(error).__mro__ if kind in self.failures), None)
