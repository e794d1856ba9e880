"""Directories of the original `aspara`: recorded ones, fresh ones, and the original reading ours."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import aspara
import pytest
from runyard.aspara_store.layout import find_projects, find_runs
from runyard.aspara_store.reading import StoredArtifact, read_project, read_run

from tests.sdk.aspara_store.files import points_of

RECORDED = Path(__file__).with_name("recorded")  # by aspara 0.1.0 with polars 2.1
INSTALL_S, RUN_S = 600, 120
PACKAGES = ["aspara==0.1.0", "polars", "pydantic", "watchfiles"]  # which it imports
WRITE = """
import sys
import aspara

for backend in ("jsonl", "polars"):
    run = aspara.init(project="fresh", name=backend, dir=sys.argv[1], storage_backend=backend,
                      config={"lr": 0.1}, tags=["t"], notes="n", project_tags=["pt"])
    for step in range(300):
        aspara.log({"loss": step / 2, **({"late": 1} if step > 200 else {})})
    aspara.log({"loss": float("nan")}, step=1000)
    run.summary["best"] = 1
    run.log_artifact(sys.argv[0], name="script.py", category="code")
    aspara.finish(exit_code=3 if backend == "jsonl" else 0)
"""
READ = """
import json, sys
from aspara.catalog import ProjectCatalog, RunCatalog
from aspara.storage import JsonlMetricsStorage, PolarsMetricsStorage

root, found = sys.argv[1], {}
catalog = RunCatalog(root)
for project in ProjectCatalog(root).get_projects():
    for run in catalog.get_runs(project.name):
        kind = PolarsMetricsStorage if run.name.startswith("polars") else JsonlMetricsStorage
        frame = kind(root, project.name, run.name).load()
        found[run.name] = {
            "project": project.name, "runs": project.run_count,
            "status": run.status.value, "tags": run.tags, "id": run.run_id,
            "is_corrupted": run.is_corrupted,
            "metadata": catalog.get_metadata(project.name, run.name),
            "points": [[row["step"], row["_loss"]] for row in frame.to_dicts()],
        }
print(json.dumps(found))
"""


@pytest.mark.parametrize("name", ["jsonl", "polars"])
def test_recorded_run_opens_with_nothing_missing(name: str) -> None:
    if name == "polars":
        pytest.importorskip("polars")
    run = read_run(RECORDED, "orig", name)

    assert run.backend == name
    assert points_of(RECORDED, "orig", name) == [
        point
        for step in range(5)
        for point in [
            (step, "loss", 1.0 / (step + 1)),
            (step, "acc", float(step)),
            (step, "flag", 1.0),
        ]
    ]
    about = run.about
    assert (about.tags, about.notes, about.config, about.summary) == (
        ["t"],
        "n",
        {"lr": 0.1},
        {"best": 1},
    )
    assert (about.status, about.exit_code) == ("completed", 0)
    assert list(run.artifacts()) == [
        StoredArtifact("m.txt", "d", "model", 5, run.paths.artifacts / "m.txt")
    ]
    assert run.problems == []


def test_recorded_project_is_found() -> None:
    assert list(find_projects(RECORDED)) == ["orig"]
    assert [run.name for run in find_runs(RECORDED, "orig")] == ["jsonl", "polars"]
    assert read_project(RECORDED, "orig").tags == ["pt"]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the original package and nothing of ours."""
    home = tmp_path_factory.mktemp("original")
    interpreter = home / "bin" / "python"
    for command in (
        [sys.executable, "-m", "venv", str(home)],
        [str(interpreter), "-m", "pip", "install", "--quiet", *PACKAGES],
    ):
        subprocess.run(command, check=True, timeout=INSTALL_S, capture_output=True)
    return interpreter


def run_original(python: Path, tmp_path: Path, script: str, root: Path) -> str:
    path = tmp_path / "script.py"
    path.write_text(script)
    command = [str(python), str(path), str(root)]
    job = subprocess.run(
        command, capture_output=True, text=True, timeout=RUN_S, cwd=tmp_path, env={}, check=False
    )
    assert job.returncode == 0, job.stderr
    return job.stdout


@pytest.mark.full
def test_fresh_directory_of_the_original_opens_with_nothing_missing(
    python: Path, tmp_path: Path
) -> None:
    root = tmp_path / "data"
    run_original(python, tmp_path, WRITE, root)

    expected = []
    for step in range(300):
        expected.append((step, "loss", step / 2))
        expected += [(step, "late", 1.0)] if step > 200 else []
    for name, status in (("jsonl", "failed"), ("polars", "completed")):
        points = points_of(root, "fresh", name)
        assert points[:-1] == expected
        assert str(points[-1]) == "(1000, 'loss', nan)"
        run = read_run(root, "fresh", name)
        assert run.about.status == status
        assert [artifact.name for artifact in run.artifacts()] == ["script.py"]


@pytest.mark.full
def test_original_opens_ours_with_nothing_missing(python: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    ids: dict[str, str] = {}
    for backend in ("jsonl", "polars"):
        run = aspara.init(
            project="ours", name=backend, dir=root, storage_backend=backend, tags=["t"], notes="n"
        )
        for step in range(300):
            run.log({"loss": step if step < 150 else step + 0.5})
        run.summary["best"] = 1
        run.log_artifact(__file__, name="a.py")
        run.finish(exit_code=1)
        ids[backend] = run.id

    found: dict[str, Any] = json.loads(run_original(python, tmp_path, READ, root))

    assert sorted(found) == ["jsonl", "polars"]
    for name, seen in found.items():
        metadata = seen.pop("metadata")
        points = seen.pop("points")
        assert seen == {
            "project": "ours",
            "runs": 2,
            "status": "failed",
            "tags": ["t"],
            "id": ids[name],
            "is_corrupted": False,
        }
        assert (metadata["notes"], metadata["summary"]) == ("n", {"best": 1})
        assert [artifact["name"] for artifact in metadata["artifacts"]] == ["a.py"]
        assert points == [[i, float(i) if i < 150 else i + 0.5] for i in range(300)]
