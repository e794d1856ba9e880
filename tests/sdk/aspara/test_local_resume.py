"""Runs without a server that go on, and names that become no paths."""

import math
from pathlib import Path

import aspara
import pytest
from aspara.exceptions import RunAlreadyExistsError
from runyard.aspara_store.layout import RunPaths
from runyard.aspara_store.metadata import edit_run
from runyard.aspara_store.reading import StoredArtifact, read_run

from tests.sdk.aspara.runs import start
from tests.sdk.aspara_store.files import make_run, points_of, read_meta


# ── Resuming ────────────────────────────────────────────────────────────────
def test_taken_name_has_an_error_of_its_own(data: Path, backend: str) -> None:
    start(backend)
    aspara.finish()

    with pytest.raises(RunAlreadyExistsError, match="already exists in project 'p'"):
        start(backend)

    assert read_run(data, "p", "r").about.status == "completed"


def test_resumed_run_goes_on_and_forgets_nothing(data: Path, backend: str) -> None:
    first = start(backend, config={"lr": 1}, tags=["t"], notes="n")
    first.log({"loss": math.nan})
    first.log({"loss": 1}, step=7)
    first.summary["best"] = 1
    first.finish(exit_code=1)
    edit_run(RunPaths(data, "p", "r"), tags=["theirs"])

    second = start(backend, config={"epochs": 2}, resume=True)
    about = read_run(data, "p", "r").about
    second.log({"loss": 2})
    second.finish()

    assert second.id == first.id
    assert (about.tags, about.notes, about.summary) == (["theirs"], "n", {"best": 1})
    assert about.config == {"lr": 1, "epochs": 2}
    assert (about.status, about.exit_code, about.finished_us) == (None, None, None)
    assert str(points_of(data, "p", "r")) == str(
        [(0, "loss", math.nan), (7, "loss", 1.0), (8, "loss", 2.0)]
    )
    assert read_run(data, "p", "r").about.status == "completed"


def test_resumed_run_takes_new_words_where_they_are_given(data: Path) -> None:
    start("jsonl", tags=["old"], notes="old")
    start("jsonl", tags=[], notes="new", resume=True)

    about = read_run(data, "p", "r").about
    assert (about.tags, about.notes) == ([], "new")


def test_resume_makes_a_run_where_there_is_none(data: Path, backend: str) -> None:
    run = start(backend, resume=True)
    run.log({"a": 1})

    assert points_of(data, "p", "r") == [(0, "a", 1.0)]


def test_resume_after_a_line_cut_short_mends_it(data: Path) -> None:
    paths = make_run(data, '{"timestamp": 1, "step": 4, "metrics": {"a": 1}}\n{"timestamp": 2, "st')

    run = start("jsonl", resume=True)
    run.log({"a": 2})

    assert points_of(data, "p", "r") == [(4, "a", 1.0), (5, "a", 2.0)]
    assert paths.rows.read_bytes().count(b"\n") == 2


def test_resume_after_a_truncated_document_begins_it_anew(data: Path) -> None:
    paths = make_run(data, '{"timestamp": 1, "step": 4, "metrics": {"a": 1}}\n')
    paths.meta.write_text('{"run_id": "x", "ta')

    run = start("jsonl", resume=True, config={"lr": 1})
    run.finish()

    meta = read_meta(data, "p", "r")
    assert (meta["run_id"], meta["status"], meta["config"]) == (run.id, "completed", {"lr": 1})
    assert (paths.folder / ".r.meta.json.damaged").read_text() == '{"run_id": "x", "ta'


def test_resume_of_a_run_of_a_tracker_finds_its_step(data: Path) -> None:
    make_run(data, '{"timestamp": "2026-01-01", "step": 8, "metrics": {"step": 99}, "run": null}\n')

    run = start("jsonl", resume=True)
    run.log({"a": 1})

    assert points_of(data, "p", "r")[-1] == (9, "a", 1.0)


def test_run_stays_with_the_backend_it_has(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("polars")
    start("jsonl").log({"a": 1})

    start("polars", resume=True).log({"a": 2})

    assert points_of(data, "p", "r") == [(0, "a", 1.0), (1, "a", 2.0)]
    assert "stored as 'jsonl': it goes on like that" in caplog.text


def test_run_with_an_archive_is_not_begun_anew_without_polars(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    pytest.importorskip("polars")
    start("polars").finish()
    before = read_meta(data, "p", "r")
    monkeypatch.setitem(sys.modules, "polars", None)

    with pytest.raises(ImportError, match="pip install"):
        start("jsonl", resume=True)

    assert read_meta(data, "p", "r") == before


def test_run_does_not_inherit_the_archive_of_a_deleted_one(data: Path) -> None:
    pytest.importorskip("polars")
    start("polars").log({"a": 1})
    aspara.finish()
    paths = RunPaths(data, "p", "r")
    for path in (paths.rows, paths.meta, paths.wal):
        path.unlink()

    start("polars").log({"b": 2})
    aspara.finish()

    assert points_of(data, "p", "r") == [(0, "b", 2.0)]
    assert len(list(paths.folder.glob(".r_archive.*"))) == 1


@pytest.mark.parametrize("name", ["a b", "../x", "x\n", "a/b", "ü", ""])
def test_names_become_no_paths(data: Path, name: str) -> None:
    with pytest.raises(ValueError, match="Only alphanumeric characters"):
        start("jsonl", name=name)
    with pytest.raises(ValueError, match="Only alphanumeric characters"):
        start("jsonl", project=name or " ")

    assert not data.exists()


def test_name_that_no_file_can_have_is_refused(data: Path) -> None:
    start("jsonl", name="r" * 230)

    with pytest.raises(ValueError, match="The name has 231 characters; as a file it may have 230"):
        start("jsonl", name="r" * 231)


# ── Artifacts ───────────────────────────────────────────────────────────────
def test_artifact_is_copied_and_described(data: Path, tmp_path: Path) -> None:
    source = tmp_path / "model.bin"
    source.write_bytes(b"12345")
    run = start("jsonl")

    run.log_artifact(source, description="d", category="model")
    source.write_bytes(b"1")
    run.log_artifact(source, name="second.bin")
    run.log_artifact(source, name="second.bin", description="again")

    folder = RunPaths(data, "p", "r").artifacts
    assert list(read_run(data, "p", "r").artifacts()) == [
        StoredArtifact("model.bin", "d", "model", 5, folder / "model.bin"),
        StoredArtifact("second.bin", "again", "", 1, folder / "second.bin"),
    ]
    (entry, _) = read_meta(data, "p", "r")["artifacts"]
    assert {**entry, "timestamp": 0} == {
        "name": "model.bin",
        "original_path": str(source),
        "stored_path": "artifacts/model.bin",
        "file_size": 5,
        "timestamp": 0,
        "description": "d",
        "category": "model",
    }


@pytest.mark.parametrize("name", ["../../../evil.txt", "a/b", "..", ".", "a b", "x\n", ""])
def test_artifact_names_become_no_paths(data: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "f.txt").touch()
    run = start("jsonl")
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(ValueError, match="Invalid artifact name"):
        run.log_artifact(tmp_path / "f.txt", name=name)

    assert sorted(tmp_path.rglob("*")) == before


def test_artifact_is_never_half(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from runyard.aspara_store import documents

    source = tmp_path / "model.bin"
    source.write_bytes(b"old")
    run = start("jsonl")
    run.log_artifact(source)

    def copy_half(source: Path, target: Path) -> None:
        target.write_bytes(b"ne")
        raise OSError("the disk is full")

    monkeypatch.setattr(documents.shutil, "copyfile", copy_half)
    source.write_bytes(b"new")
    run.log_artifact(source)

    files = RunPaths(data, "p", "r").files
    assert (files / "artifacts" / "model.bin").read_bytes() == b"old"
    assert [path.name for path in files.iterdir()] == ["artifacts"]
    assert "no copy of 'model.bin': the disk is full" in caplog.text
