"""Directories that the original `aspara` wrote: imported, watched, and both."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from runyard.aspara_store.reading import read_run
from runyard.cli import main

from tests.sdk.aspara_store.test_original import RECORDED
from tests.sdk.watching.conftest import Site


@pytest.fixture
def original(site: Site) -> Site:
    """A copy under a name of its own."""
    site.root.rmdir()
    shutil.copytree(RECORDED / "orig", site.root / site.project)
    return site


def run_import(site: Site, *options: str) -> int:
    return main(["import", str(site.root), "--url", site.server.url, "--json", *options])


def in_files(name: str) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for _, row in read_run(RECORDED, "orig", name).records():
        for metric, value in row.values.items():
            found.setdefault(metric, []).append((row.step or 0, value))
    return found


def on_server(site: Site, name: str) -> dict[str, list[tuple[int, float]]]:
    """NaN is null in JSON."""
    found = site.points(name)
    return {
        metric: [(step, math.nan if value is None else value) for step, value in points]
        for metric, points in found.items()
    }


def same(points: Any) -> str:
    return str({name: sorted(map(str, series)) for name, series in sorted(points.items())})


@pytest.mark.parametrize("name", ["jsonl", "polars"])
def test_an_import_misses_nothing(original: Site, name: str, capsys: Any) -> None:
    assert run_import(original) == 0
    told = json.loads(capsys.readouterr().out)
    about = read_run(RECORDED, "orig", name).about

    assert same(on_server(original, name)) == same(in_files(name))
    shown = original.shown(name)
    assert (shown["status"], shown["exit_code"]) == (about.status, about.exit_code)
    assert (shown["tags"], shown["notes"]) == (list(about.tags), about.notes)
    assert (shown["config"], shown["summary"]) == (about.config, about.summary)
    assert shown["start_time"] * 1000 == about.started_us
    assert [one["name"] for one in shown["artifacts"]] == ["m.txt"]
    assert told["left_out"] == []


def test_what_was_imported_is_not_brought_again(original: Site, capsys: Any) -> None:
    run_import(original)
    before = {name: on_server(original, name) for name in ("jsonl", "polars")}
    original.look()
    run_import(original)
    capsys.readouterr()

    after = {name: on_server(original, name) for name in ("jsonl", "polars")}
    assert str(after) == str(before)
    assert original.names() == ["jsonl", "polars"]
    assert all(len(original.shown(name)["artifacts"]) == 1 for name in after)


def test_a_dry_run_sends_nothing(original: Site, capsys: Any) -> None:
    assert run_import(original, "--dry-run") == 0
    told = json.loads(capsys.readouterr().out)

    assert [run["format"] for run in told["runs"]] == ["aspara", "aspara"]
    assert original.query("COUNT(*)") == [(0,)]


def test_one_project_of_a_directory_can_be_imported(original: Site, capsys: Any) -> None:
    path: Path = original.root / original.project
    assert main(["import", str(path), "--url", original.server.url, "--json"]) == 0
    capsys.readouterr()

    assert original.names() == ["jsonl", "polars"]
