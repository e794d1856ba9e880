import io

import pytest
from runyard.commands.printing import (
    Progress,
    duration,
    local_time,
    plain,
    print_table,
    size,
)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (3 * 1024**4 * 1024, "3072.0 TiB")],
)
def test_sizes_have_units(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0:00:00"), (59.6, "0:01:00"), (93_784, "1 d 2:03:04")]
)
def test_durations_are_clocks(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_what_is_not_known_is_a_dash() -> None:
    assert local_time(None) == "-"


def test_tables_are_aligned_and_plain(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("A", "B"), [("x\x1b[2J", "1"), ("long name", "")])

    shown = "x\N{REPLACEMENT CHARACTER}[2J"
    assert plain("x\x1b[2J") == shown
    assert capsys.readouterr().out == f"A          B\n{shown}      1\nlong name\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    progress = Progress()

    progress.show("1,000 runs")
    progress.show("too soon to be shown")
    progress.clear()

    assert terminal.getvalue() == f"\r1,000 runs\r{' ' * 10}\r"


def test_progress_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", pipe := io.StringIO())
    progress = Progress()

    progress.show("1,000 runs")
    progress.clear()

    assert pipe.getvalue() == ""
