"""Every script of scripts/, on both channels as written, and on one of them as typed without tone marks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from play import Player, unmarked_differs
from script import Script, read
from stack import Stack

from bot.messages import ChannelName


def runs() -> Iterator[Any]:
    """Script, channel, without marks. What the marks change is the understanding, which knows no channels."""
    for number, path in enumerate(sorted((Path(__file__).parent / "scripts").glob("*.txt"))):
        script = read(path)
        for channel in script.channels:
            yield pytest.param(script, ChannelName(channel), False, id=f"{script.name}-{channel}")
        if unmarked_differs(script):
            channel = script.channels[number % len(script.channels)]
            yield pytest.param(script, ChannelName(channel), True, id=f"{script.name}-{channel}-unmarked")


@pytest.mark.parametrize(("script", "channel", "unmarked"), list(runs()))
def test_conversation(stack: Stack, script: Script, channel: ChannelName, unmarked: bool) -> None:
    Player(stack, script, channel, unmarked=unmarked).play()
