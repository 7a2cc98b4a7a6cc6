"""Every script of scripts/, on both channels, as written and as typed without tone marks."""

from pathlib import Path

import pytest
from play import Player, unmarked_differs
from script import Script, read
from stack import Stack

from bot.messages import ChannelName

SCRIPTS = [read(path) for path in sorted((Path(__file__).parent / "scripts").glob("*.txt"))]
RUNS = [
    pytest.param(script, ChannelName(channel), unmarked, id=f"{script.name}-{channel}{'-unmarked' * unmarked}")
    for script in SCRIPTS
    for unmarked in ([False, True] if unmarked_differs(script) else [False])
    for channel in script.channels
]


@pytest.mark.parametrize(("script", "channel", "unmarked"), RUNS)
def test_conversation(stack: Stack, script: Script, channel: ChannelName, unmarked: bool) -> None:
    Player(stack, script, channel, unmarked=unmarked).play()
