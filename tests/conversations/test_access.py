"""The watch on whose data is asked for (play.Player) sees what it looks for."""

import pytest
from play import Mismatch, Player
from script import read
from stack import Stack
from test_coverage import ROOT

from bot.messages import ChannelName

SCRIPT = ROOT / "tests" / "conversations" / "scripts" / "solar.txt"


def test_a_look_at_somebody_else_s_account_is_noticed(stack: Stack) -> None:
    player = Player(stack, read(SCRIPT), ChannelName.ZALO, unmarked=False)
    player.play()
    stack.product.turns._desk.billing.debt("PA04PB0000202")
    with pytest.raises(Mismatch, match=r"not linked: .*PA04PB0000202"):
        player._check_access(player._customers[0])
