"""Directories of others: nothing in them hangs an import, leads out of them or stops the rest."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runyard.aspara_store.layout import find_runs
from runyard.importing import aspara as aspara_format
from runyard.importing.bringing import bring
from runyard.importing.delivery import Courier
from runyard.importing.detect import open_source
from runyard.importing.progress import Imported, Report
from runyard.importing.source import Options, first_line

from tests.sdk.importing.conftest import (
    AskingTransport,
    make_experiment,
    row,
    write_file,
    write_json,
    write_lines,
    write_rows,
)
from tests.sdk.importing.reading import Reading

LINE = '{"timestamp": 1700049600000, "step": 0, "metrics": {"loss": 1.0}}\n'


def import_all(path: Path, transport: AskingTransport) -> Report:
    """As the command does it."""
    report = Report("http://server")
    source = open_source(path, Options())
    courier = Courier(transport, "http://server", patience_s=0.2)
    for run in source.find():
        report.imported.append(Imported(run, *bring(courier, source, run)))
    report.problems += source.problems
    return report


def told(report: Report) -> list[str]:
    return [problem.reason for problem in report.all_problems()]


@pytest.mark.parametrize("name", ["parameters.json", "metrics/loss/metadata.json"])
def test_pipes_are_told_and_left(tmp_path: Path, transport: AskingTransport, name: str) -> None:
    home = make_experiment(tmp_path)
    write_rows(home, "loss", 3)
    os.mkfifo(home / name)

    report = import_all(tmp_path, transport)

    assert [one.outcome.taken for one in report.imported] == [5]  # the stream, its rows, the end
    assert all("it is not a file" in reason for reason in told(report))
    assert not report.is_complete


def test_files_that_lead_out_of_the_experiment_stay_at_home(
    tmp_path: Path, transport: AskingTransport
) -> None:
    home = make_experiment(tmp_path / "dash")
    write_file(home, "1", "/m", "key", b"")
    file = home / "files" / "m" / "1" / "key"
    file.unlink()
    (tmp_path / "id_rsa").write_text("secret")
    file.symlink_to(tmp_path / "id_rsa")

    report = import_all(tmp_path / "dash", transport)

    assert told(report) == ["files: m/1/key leads out of the experiment"]
    assert [one.outcome.taken for one in report.imported] == [1]


def test_names_that_are_no_text_arrive_and_are_shown(
    tmp_path: Path, transport: AskingTransport
) -> None:
    home = make_experiment(tmp_path, "alice/vision/\udcff\x1b[2J")
    write_json(home / "experiment.json", {})
    write_rows(home, "\udcfe", 2)

    report = import_all(tmp_path, transport)
    again = import_all(tmp_path, transport)

    assert [one.outcome.taken for one in report.imported] == [4]
    assert [one.outcome[:2] for one in again.imported] == [(0, 4)]
    text = "\n".join(report.lines())
    assert text.encode().decode().replace("\n", "").isprintable()


@pytest.mark.parametrize("head", ["\n", "\r\n \n"])
def test_blank_lines_in_front_hide_no_rows(
    tmp_path: Path, transport: AskingTransport, head: str
) -> None:
    rows = tmp_path / "p" / "r.jsonl"
    rows.parent.mkdir()
    rows.write_text(head + LINE)

    report = import_all(tmp_path, transport)

    assert first_line(rows) == LINE.strip().encode()
    assert transport.door.values("r", "loss") == [(0, 1.0)]
    assert told(report) == []


def test_a_project_that_cannot_be_read_is_told_and_the_others_are_taken(
    tmp_path: Path, transport: AskingTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / f"run-{name}.jsonl").write_text(LINE)

    def refuse(root: Path, project: str) -> Iterator[Any]:
        if project == "b":
            raise PermissionError("not for you")
        yield from find_runs(root, project)

    monkeypatch.setattr(aspara_format, "find_runs", refuse)

    report = import_all(tmp_path, transport)

    assert [one.run.key for one in report.imported] == ["run-a", "run-c"]
    assert told(report) == ["not for you"]


@pytest.mark.parametrize(
    "odd", [None, True, 5, 1e300, "x", [], {}, [[]], "\ud800", "\0", 2**70], ids=repr
)
def test_odd_values_everywhere_stop_nothing(
    tmp_path: Path, transport: AskingTransport, odd: Any
) -> None:
    words = "description tags bindrs metadata started_at ended_at status status_at updated_at"
    home = make_experiment(tmp_path, **dict.fromkeys(words.split(), odd))
    write_json(home / "parameters.json", {"data": odd, "updatedAt": odd})
    write_json(home / "metrics" / "s" / "metadata.json", dict.fromkeys(words.split(), odd))
    lines = [row(0, a=1.0), {"index": odd, "data": {"x": odd, "_ts": odd}, "createdAt": odd}]
    write_lines(home / "metrics" / "s" / "data.jsonl", lines)
    logs = [{"message": odd}, {"message": "m", **dict.fromkeys(["level", "timestamp"], odd)}]
    write_lines(home / "logs" / "logs.jsonl", logs)
    entry = dict.fromkeys(
        ["description", "tags", "bindrs", "checksum", "metadata", "updatedAt"], odd
    )
    write_file(home, "7", "/m", "k", b"z", **entry)
    write_file(home, "8", "/m", "k2", b"z", deletedAt=odd)

    report = import_all(tmp_path, transport)
    again = import_all(tmp_path, transport)

    assert len(report.imported) == 1
    assert report.imported[0].outcome.taken > 3
    assert [one.outcome.taken for one in again.imported] == [0]
    json.dumps(report.as_json())


def test_one_tag_that_no_server_takes_costs_no_other(tmp_path: Path) -> None:
    make_experiment(tmp_path, tags=["good", "x" * 1_000, "fine"], bindrs=["b" * 1_000])

    reading = Reading(tmp_path)

    assert reading.run.start["tags"] == ["good", "fine"]
    assert "bindrs" not in reading.run.start
    assert reading.told == [
        ("tags: a tag has 1 to 250 characters.", True),
        ("bindrs: a tag has 1 to 250 characters.", True),
    ]
