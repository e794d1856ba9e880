from collections.abc import Iterator

import pytest
from ai_manager import AIManager, Run

from tests.sdk.gate import Gate, open_gate


@pytest.fixture
def gate() -> Iterator[Gate]:
    with open_gate() as gate:
        yield gate


@pytest.fixture
def manager(gate: Gate) -> AIManager:
    return AIManager("My Project", gate.url, "user", "pass")


@pytest.fixture
def run(manager: AIManager) -> Run:
    return manager.run("r")
