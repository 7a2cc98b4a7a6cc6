"""Fixtures: the reference backends, served."""

from collections.abc import Iterator

import pytest
from backend_serving import Backends, running


@pytest.fixture
def backends() -> Iterator[Backends]:
    """Backends that this test has to itself."""
    with running() as backends:
        yield backends


@pytest.fixture(scope="module")
def quiet() -> Iterator[Backends]:
    """Backends shared by tests that only read."""
    with running() as backends:
        yield backends
