"""Directories of others: whatever lies in them, nothing hangs, leads astray or stops a training."""

import json
import os
from pathlib import Path
from typing import Any

import aspara
import pytest
from runyard.aspara_store import metadata
from runyard.aspara_store.appending import AppendFile
from runyard.aspara_store.layout import RunPaths, find_projects
from runyard.aspara_store.reading import read_run

from tests.sdk.aspara_store.files import make_run, original_line, points_of, read_meta, run_script

ODD: list[object] = [
    None,
    True,
    5,
    -1.5,
    1e300,
    "x",
    [],
    {},
    [[]],
    "\ud800",
    "\0",
    2**70,
    "../../x",
    "<b>",
]
KEYS = "tags notes params config artifacts summary status start_time finish_time environment"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNYARD_ENVIRONMENT", "0")


def resume(root: Path, **options: Any) -> aspara.Run:
    return aspara.Run("r", "p", dir=str(root), resume=True, **options)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_run_goes_on_over_odd_metadata(tmp_path: Path, odd: object) -> None:
    paths = make_run(tmp_path, original_line(0, {"loss": 1}))
    paths.meta.write_text(json.dumps(dict.fromkeys(["run_id", *KEYS.split()], odd)))

    run = resume(tmp_path, config={"lr": 1})
    run.log({"loss": 2})
    run.summary["best"] = 2
    run.finish()

    meta = read_meta(tmp_path, "p", "r")
    assert (run.id, meta["status"]) == (meta["run_id"], "completed")
    assert isinstance(run.id, str)
    assert (meta["config"]["lr"], meta["summary"]["best"]) == (1, 2)
    assert points_of(tmp_path, "p", "r") == [(0, "loss", 1.0), (1, "loss", 2.0)]


def test_a_damaged_document_keeps_the_id(tmp_path: Path) -> None:
    run = aspara.Run("r", "p", dir=str(tmp_path))
    RunPaths(tmp_path, "p", "r").meta.write_text("{")

    run.finish()

    assert read_meta(tmp_path, "p", "r")["run_id"] == run.id


@pytest.mark.parametrize("name", ["r.meta.json", "r.jsonl", "r.wal.jsonl"])
def test_pipes_are_no_files(tmp_path: Path, name: str) -> None:
    paths = make_run(tmp_path, original_line(0, {"loss": 1}), name="other")
    os.mkfifo(paths.folder / name)

    run = read_run(tmp_path, "p", "r")

    assert list(run.records()) == []
    assert [problem.path.name for problem in run.problems] == [name]


@pytest.mark.parametrize("linked", ["r", "r/artifacts"])
def test_links_lead_to_no_artifacts(tmp_path: Path, linked: str) -> None:
    paths = make_run(tmp_path / "data")
    secret = tmp_path / "home" / "artifacts"
    secret.mkdir(parents=True)
    (secret / "id_rsa").write_text("key")
    link = paths.folder / linked
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(secret if "/" in linked else secret.parent)

    run = read_run(tmp_path / "data", "p", "r")

    assert list(run.artifacts()) == []
    assert [problem.reason for problem in run.problems] == [
        "a link: what it leads to is no part of the run"
    ]


def test_drafts_that_are_links_are_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    run = aspara.Run("r", "p", dir=str(tmp_path / "data"))
    (tmp_path / "data" / "p" / ".r.meta.json.tmp").symlink_to(victim)

    run.summary["best"] = 1

    assert victim.read_text() == "precious"
    assert read_meta(tmp_path / "data", "p", "r")["summary"] == {"best": 1}


def test_documents_stay_readable_for_whoever_reads_them(tmp_path: Path) -> None:
    run = aspara.Run("r", "p", dir=str(tmp_path))
    meta = RunPaths(tmp_path, "p", "r").meta
    meta.chmod(0o640)
    os.chown(meta, os.getuid(), os.getgid())

    run.finish()

    assert meta.stat().st_mode & 0o777 == 0o640


def test_a_link_to_itself_hides_no_project(tmp_path: Path) -> None:
    make_run(tmp_path)
    (tmp_path / "loop").symlink_to("loop")

    assert list(find_projects(tmp_path)) == ["p"]


@pytest.mark.parametrize(
    "note",
    [
        {"files": []},
        {"files": ["../x"], "wal_bytes": "1", "checksum": None},
        {"files": ["date=2026-01-01/0.parquet"], "wal_bytes": 1, "checksum": 1},
    ],
    ids=["short", "odd", "gone"],
)
def test_notes_of_moves_may_say_anything(tmp_path: Path, note: dict[str, Any]) -> None:
    paths = make_run(tmp_path, original_line(0, {"loss": 1}), wal=True)
    paths.marker.write_text(json.dumps(note))

    found = [record.row.values for record in read_run(tmp_path, "p", "r").records()]

    assert found == [{"loss": 1.0}]


def test_a_run_of_another_id_is_not_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aspara.Run("r", "p", dir=str(tmp_path)).finish()
    monkeypatch.setenv("RUNYARD_RUN", "job-17")

    with pytest.raises(aspara.exceptions.RunAlreadyExistsError):
        aspara.Run("r", "p", dir=str(tmp_path))


def test_a_signal_handler_may_log_while_rows_that_waited_are_written(tmp_path: Path) -> None:
    class Interrupted(AppendFile):
        def _write(self, data: bytes) -> None:
            if self._waiting == [b"1\n"]:
                self.append(b"2\n")  # as a handler does in between
            super()._write(data)

    file = Interrupted(tmp_path / "rows")
    file._keep(b"1\n")

    file.push()
    file.push()

    assert file.path.read_bytes() == b"1\n2\n"


def test_a_job_without_descriptors_goes_on_and_loses_nothing(tmp_path: Path) -> None:
    script = """
import os, resource, aspara
resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))
run = aspara.init(project="p", name="r")
held = []
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
run.log({"loss": 1})
run.summary["best"] = 1
for fd in held:
    os.close(fd)
run.finish()
"""
    ended = run_script(script, tmp_path)

    assert (ended.returncode, ended.stderr.count("Too many open files")) == (0, 2), ended.stderr
    assert points_of(tmp_path, "p", "r") == [(0, "loss", 1.0)]
    assert read_meta(tmp_path, "p", "r")["summary"] == {"best": 1}


def test_a_signal_handler_may_change_the_document_within_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = aspara.Run("r", "p", dir=str(tmp_path))
    keep_owner, handlers = metadata._keep_owner, [lambda: run.summary.update({"inner": 1})]

    def interrupted(fd: int, path: Path) -> None:
        keep_owner(fd, path)
        while handlers:  # with the draft of the outer change still open
            handlers.pop()()

    monkeypatch.setattr(metadata, "_keep_owner", interrupted)
    run.summary["outer"] = 1

    assert read_meta(tmp_path, "p", "r")["summary"] == {"outer": 1, "inner": 1}
    assert caplog.messages == []
