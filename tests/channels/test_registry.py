from pathlib import Path

import pytest
from scripted import StoppedClock

from bot.channels.registry import build_channels
from bot.messages import ChannelName
from bot.settings import Settings
from bot.store.database import Database

ZALO = {"ZALO_APP_ID": "1", "ZALO_APP_SECRET": "s", "ZALO_OA_SECRET_KEY": "k", "ZALO_OA_ID": "4"}
MESSENGER = {
    "MESSENGER_APP_SECRET": "s",
    "MESSENGER_VERIFY_TOKEN": "v",
    "MESSENGER_PAGE_ID": "5",
    "MESSENGER_PAGE_TOKEN": "t",
}


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({}, set()),
        (ZALO, {ChannelName.ZALO}),
        (MESSENGER, {ChannelName.MESSENGER}),
        (ZALO | MESSENGER, set(ChannelName)),
    ],
)
def test_a_channel_without_settings_is_off(
    environment: dict[str, str],
    names: set[ChannelName],
    database: Database,
    clock: StoppedClock,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ZALO | MESSENGER:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings(
        secret_key="s" * 16, billing_url="http://127.0.0.1:1", service_url="http://127.0.0.1:1", backend_token="x"
    )
    channels = build_channels(settings, database, clock)
    assert set(channels) == names
    assert all(channel.name is name for name, channel in channels.items())
