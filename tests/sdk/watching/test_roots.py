"""What a watcher says of a place without runs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sdk.watching.conftest import Site


def make_nothing(root: Path) -> None:
    root.rmdir()


def make_file(root: Path) -> None:
    root.rmdir()
    root.write_text("a,b")


def make_strange(root: Path) -> None:
    (root / "notes.txt").write_text("no run")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_nothing, "it is not there yet."),
        (make_file, "it is no directory; for single files there is runyard import."),
        (make_strange, "there is no run of ML-Dash or Aspara in it yet."),
    ],
)
def test_place_without_runs_is_said_once(
    site: Site, make: Callable[[Path], None], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make(site.root)

    for _ in range(3):
        site.look()

    assert capsys.readouterr().out.splitlines() == [f"runyard watch: {site.root}: {reason}"]


def test_runs_that_come_later_are_shown(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.look()
    site.start("one").log({"loss": 1.0})
    capsys.readouterr()
    site.look()

    assert site.names() == ["one"]
    assert "no run" not in capsys.readouterr().out
