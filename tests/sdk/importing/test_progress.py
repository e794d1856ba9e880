from types import SimpleNamespace
from typing import Any

from runyard.importing.delivery import Outcome
from runyard.importing.progress import Imported, Report


def test_one_record_is_not_many() -> None:
    run: Any = SimpleNamespace(title="p/r")
    local, sent = Report(), Report("http://h")
    local.imported = sent.imported = [Imported(run, None, Outcome(1, 0))]

    assert list(local.lines()) == ["p/r: 1 record", "1 run: 1 record; nothing was sent."]
    assert list(sent.lines()) == [
        "p/r: 1 record taken, 0 known",
        "1 run: 1 record taken, 0 known already.",
    ]
