"""The sandbox with a crowd on Zalo: `python -m tests.load.crowd PEOPLE`, in a process of its own, at Zalo's real limit.

All of them wrote just now and their phones are off; otherwise it is the sandbox, on its usual port.
"""

import sys
from typing import Any

from sandbox.__main__ import Server
from sandbox.app import Sandbox
from sandbox.settings import SandboxSettings
from tests.load.audience import user_of


class Crowd(Server):
    def __init__(self, settings: SandboxSettings, people: int) -> None:
        self._people = people
        super().__init__(settings)

    def load(self) -> Any:
        sandbox = Sandbox(self._settings)
        zalo = sandbox.zalo.state
        zalo.options.echo, zalo.options.receipts = "off", "off"
        for number in range(1, self._people + 1):
            zalo.interacted(zalo.person(user_of(number)))
        return sandbox.app()


if __name__ == "__main__":
    Crowd(SandboxSettings(), int(sys.argv[1])).run()
