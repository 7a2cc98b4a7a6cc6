"""What is wrong with something that was filled in, by the name of the message that says so."""

from bot.console.office import office


class Problem(Exception):
    """`name` is of data/console/messages.yml."""

    def __init__(self, name: str, **values: object) -> None:
        super().__init__(name)
        self.name = name
        self.values = values

    @property
    def said(self) -> str:
        return office().words.says(self.name, **self.values)
