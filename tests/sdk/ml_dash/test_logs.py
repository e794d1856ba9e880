import json
from pathlib import Path

import pytest
from ml_dash import Experiment, LogLevel

from tests.sdk.door import Door


def lines_of(experiment: Experiment) -> list[tuple[int, str, str, object]]:
    path = Path(".dash", experiment.prefix, "logs", "logs.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        (one["sequenceNumber"], one["level"], one["message"], one.get("metadata")) for one in lines
    ]


def test_lines_have_levels_and_words(local: Experiment) -> None:
    local.log("a")
    local.log("b", level="WARN", metadata={"x": 1, "y": 2}, y=3)
    for level in LogLevel:
        assert getattr(local.logs, level.value)("c", n=level.value) is None

    assert lines_of(local) == [
        (0, "info", "a", None),
        (1, "warn", "b", {"x": 1, "y": 3}),
        *((2 + i, level.value, "c", {"n": level.value}) for i, level in enumerate(LogLevel)),
    ]


def test_errors_go_to_stderr(local: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    for level in LogLevel:
        local.log("x", level=level)

    printed = capsys.readouterr()
    assert printed.out.splitlines() == ["[DEBUG] x", "[INFO] x", "[WARN] x"]
    assert printed.err.splitlines() == ["[ERROR] x", "[FATAL] x"]


@pytest.mark.parametrize("level", ["warning", "x", 7])
def test_unknown_level_names_those_that_are(local: Experiment, level: str) -> None:
    with pytest.raises(ValueError, match=r"Use one of: debug, info, warn, error, fatal\.$"):
        local.log("x", level=level)

    assert not Path(".dash", local.prefix, "logs", "logs.jsonl").exists()


def test_old_way_of_logging_still_works(local: Experiment) -> None:
    with pytest.warns(DeprecationWarning, match="without a message is deprecated: use logs"):
        builder = local.log(epoch=1)
    assert builder
    builder.warn("x", loss=2)

    assert lines_of(local) == [(0, "warn", "x", {"epoch": 1, "loss": 2})]


def test_odd_messages_do_not_stop_a_training(local: Experiment) -> None:
    local.log(ValueError("no text"))  # type: ignore[arg-type]
    local.log("a\0b")
    local.log("")

    assert [message for _, _, message, _ in lines_of(local)] == ["no text", "a\\0b", ""]


def test_words_that_json_cannot_hold_are_refused(local: Experiment) -> None:
    with pytest.raises(TypeError, match=r"metadata\['x'\]"):
        local.log("a", x=object())


def test_closed_stdout_does_not_stop_a_training(
    local: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    local.log("a")
    local.log("b", level="error")

    assert [message for _, _, message, _ in lines_of(local)] == ["a", "b"]


def test_message_that_a_server_has_no_room_for_is_cut_there_and_whole_here(door: Door) -> None:
    with Experiment("alice/tests/exp", dash_url=door.url).run as experiment:
        experiment.log("x" * 100_001)
        experiment.log("y" * 100_000)

    (key,) = door.runs
    sent = [line["message"] for line in door.payloads(key, "log")]
    assert sent == ["x" * 99_999 + "…", "y" * 100_000]
    assert lines_of(experiment)[0][2] == "x" * 100_001
