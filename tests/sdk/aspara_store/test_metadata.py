"""Documents that several people and processes change at once."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from runyard.aspara_store import documents, metadata
from runyard.aspara_store.documents import RunDocument
from runyard.aspara_store.layout import RunPaths
from runyard.aspara_store.metadata import add_project_tags, change_run, edit_project, edit_run

from tests.sdk.aspara_store.files import make_run, read_meta
from tests.sdk.jobs import SDK


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    paths = make_run(tmp_path)
    paths.meta.write_text('{"run_id": "x", "notes": "first", "config": {"lr": 1}, "own": [1]}')
    return paths


def test_edits_of_people_survive_later_writes_of_the_job(paths: RunPaths) -> None:
    document = RunDocument(paths, "id")
    document.record("config", {"a": 1})
    edit_run(paths, tags=["good"], notes="looks well")

    document.record("summary", {"best": 2})
    document.end("completed", 0, "")

    meta = read_meta(paths.root, "p", "r")
    assert (meta["tags"], meta["notes"]) == (["good"], "looks well")
    assert (meta["config"], meta["summary"]) == ({"lr": 1, "a": 1}, {"best": 2})
    assert (meta["status"], meta["is_finished"], meta["exit_code"]) == ("completed", True, 0)
    assert meta["own"] == [1], "what we do not know stays"


def test_edit_leaves_alone_what_it_does_not_name(paths: RunPaths) -> None:
    edit_run(paths, tags=["t"])
    edit_run(paths, notes="")

    meta = read_meta(paths.root, "p", "r")
    assert (meta["tags"], meta["notes"]) == (["t"], "")


def test_file_looks_as_the_original_writes_it(paths: RunPaths) -> None:
    paths.meta.unlink()

    change_run(paths, lambda document: document.update(notes="Größe", value=float("nan")))

    assert paths.meta.read_text() == '{\n  "notes": "Größe",\n  "value": NaN\n}'
    assert paths.meta.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damaged", ['{"run_id": "x", "no', "", "[]", "\0\0"])
def test_damaged_document_is_kept_aside_and_begun_anew(
    paths: RunPaths, damaged: str, caplog: pytest.LogCaptureFixture
) -> None:
    paths.meta.write_text(damaged)

    edit_run(paths, notes="n")

    assert read_meta(paths.root, "p", "r") == {"notes": "n"}
    assert (paths.folder / ".r.meta.json.damaged").read_text() == damaged
    assert "is damaged" in caplog.text


def test_odd_values_in_the_document_give_way(paths: RunPaths) -> None:
    paths.meta.write_text('{"config": null, "artifacts": 7}')

    RunDocument(paths, "id").record("config", {"a": 1})

    assert read_meta(paths.root, "p", "r") == {"config": {"a": 1}, "artifacts": 7, "run_id": "id"}


def test_write_that_fails_leaves_the_old_one_and_is_made_up_for(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = paths.meta.read_text()
    document = RunDocument(paths, "id")

    def refuse(fd: int) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(metadata.os, "fsync", refuse)
    document.record("config", {"a": 1})
    document.record("config", {"b": 2})
    during = paths.meta.read_text()
    monkeypatch.undo()
    document.record("config", {"c": 3})

    assert during == before
    assert len(caplog.records) == 1
    assert read_meta(paths.root, "p", "r")["config"] == {"lr": 1, "a": 1, "b": 2, "c": 3}
    assert not list(paths.folder.glob(".*.tmp"))


def test_change_of_a_signal_handler_survives_the_one_it_interrupted(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = RunDocument(paths, "id")
    really_change = documents.change_run
    calls: list[int] = []

    def interrupted(run: RunPaths, *changes: Any) -> Any:
        calls.append(len(changes))
        if len(calls) == 1:
            document.end("cancelled", None, "SIGTERM")
        return really_change(run, *changes)

    def stale(run: RunPaths, *changes: Any) -> Any:
        """As if the interrupted one had read the document before the handler wrote it."""
        if len(calls) == 0:
            old = json.loads(paths.meta.read_text())
            interrupted(run, *changes)
            for change in changes:
                change(old)
            metadata.write_document(paths.meta, old)
            return old
        return interrupted(run, *changes)

    monkeypatch.setattr(documents, "change_run", stale)
    document.record("config", {"a": 1})

    meta = read_meta(paths.root, "p", "r")
    assert meta["config"] == {"lr": 1, "a": 1}
    assert (meta["status"], meta["exit_code"], meta["reason"]) == ("failed", 143, "SIGTERM")
    assert meta["is_cancelled"] is True


CHANGER = """
import sys
from pathlib import Path
from runyard.aspara_store.layout import RunPaths
from runyard.aspara_store.metadata import as_map, change_run
paths = RunPaths(Path(sys.argv[1]), "p", "r")
for i in range(40):
    change_run(paths, lambda document: as_map(document, "config").update({sys.argv[2] + str(i): i}))
"""


def test_processes_do_not_overwrite_each_others_changes(paths: RunPaths) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SDK)}
    jobs = [
        subprocess.Popen([sys.executable, "-c", CHANGER, paths.root, who], env=environment)
        for who in "abc"
    ]

    assert [job.wait(60) for job in jobs] == [0, 0, 0]

    expected = {f"{who}{i}": i for who in "abc" for i in range(40)}
    assert read_meta(paths.root, "p", "r")["config"] == {"lr": 1, **expected}


def test_project_has_tags_notes_and_times(tmp_path: Path) -> None:
    first = add_project_tags(tmp_path, "p", ["a", "b"])
    add_project_tags(tmp_path, "p", ["b", "c"])
    edit_project(tmp_path, "p", notes="n")

    document = json.loads((tmp_path / "p" / "metadata.json").read_text())
    assert (document["tags"], document["notes"]) == (["a", "b", "c"], "n")
    assert document["created_at"] == first["created_at"]
    assert document["created_at"] < document["updated_at"]
    assert document["created_at"].endswith("+00:00")
