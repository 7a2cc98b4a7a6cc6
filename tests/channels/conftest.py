from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from scripted import Platform, StoppedClock


@pytest.fixture
def platform() -> Iterator[Platform]:
    running = Platform()
    yield running
    running.close()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(datetime(2026, 11, 24, 3, 0, tzinfo=UTC))
