"""The chaos harness, small in `make test` and whole in `make test-full`, there with real services too."""

import os
from collections.abc import Iterator

import pytest

from tests.chaos.__main__ import NAMES, SERVICES, run
from tests.e2e.live import LiveServer, live_server

pytestmark = pytest.mark.e2e
SEED = 1
NEEDS = {"disk": os.geteuid() == 0}  # to mount one


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server() as one:
        yield one


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost_in_short(name: str, server: LiveServer) -> None:
    finding = run(name, server, seed=SEED)

    assert finding.count > 0
    assert finding.is_clean, f"{finding.result}; {finding.detail}"


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost_in_long(name: str) -> None:
    with live_server() as server:
        finding = run(name, server, seed=SEED, is_long=True)

    assert finding.count > 0
    assert finding.is_clean, f"{finding.result}; {finding.detail}"


@pytest.mark.full
@pytest.mark.parametrize("name", SERVICES)
def test_nothing_is_lost_by_services(name: str) -> None:
    if not NEEDS.get(name, True):
        pytest.skip("only root can mount a small disk")
    finding = run(name, None, seed=SEED, is_long=True)

    assert finding.count > 0
    assert finding.is_clean, f"{finding.result}; {finding.detail}"
