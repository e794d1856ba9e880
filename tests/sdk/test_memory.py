from collections.abc import Callable
from pathlib import Path

from runyard.memory import known_next_step, note_next_step
from runyard.spool import Spool

from tests.sdk.conftest import add_rows


def test_nothing_is_known_of_a_run_that_never_was(root: Path) -> None:
    assert known_next_step(root, "p", "r") == 0


def test_step_is_known_from_the_note(root: Path) -> None:
    note_next_step(root, "p", "r", 12)

    assert known_next_step(root, "p", "r") == 12
    assert known_next_step(root, "p", "other") == 0


def test_step_is_known_from_what_still_waits(root: Path, make_spool: Callable[..., Spool]) -> None:
    note_next_step(root, "p", "r", 12)
    add_rows(make_spool(), 20)
    add_rows(make_spool(key="other"), 90)
    add_rows(make_spool(key="asked", server_key="asked-2"), 5)

    assert known_next_step(root, "p", "r") == 20
    assert known_next_step(root, "p", "asked-2") == 5


def test_spoilt_note_is_no_note(root: Path) -> None:
    note_next_step(root, "p", "r", 12)
    (root / "runs" / "p" / "r.json").write_text("{")

    assert known_next_step(root, "p", "r") == 0
