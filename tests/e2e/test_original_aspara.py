"""The original `aspara` client from PyPI, in an environment of its own, completes a run here."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.chaos.points import query, read_points
from tests.e2e.live import LiveServer, live_server

pytestmark = [pytest.mark.e2e, pytest.mark.full]
INSTALL_S, RUN_S = 600, 120
PACKAGES = ["aspara[remote]", "pydantic"]  # which it imports and does not ask for
PROJECT, RUN, STEPS = "original", "first-run", 20
MODEL = b"weights" * 1000
SCRIPT = """
import json, sys
import aspara

run = aspara.init(
    project="original", name="first-run", config={"lr": 0.01, "net": {"layers": 2}},
    tags=["baseline", "v1"], notes="from the original client", project_tags=["upstream"],
    tracker_uri=sys.argv[1],
)
for step in range(20):
    aspara.log({"loss": 1 / (step + 1), "train/accuracy": step / 20})
run.config.epochs = 3
run.config["optimizer"] = "adam"
run.summary["best"] = 0.05
run.log_artifact(sys.argv[2], name="model.bin", description="weights", category="model")
try:
    run.set_tags(["baseline", "v2"])
    sets_tags = True
except NotImplementedError:  # in some releases, for remote runs
    sets_tags = False
aspara.finish()
print(json.dumps({"client": aspara.__file__, "sets_tags": sets_tags}))
"""
RUN_ROW = """
    SELECT run.key, run.status, run.exit_code, run.config, run.summary, run.tags, run.notes,
    project.tags FROM tracking_run run JOIN tracking_project project ON project.id = run.project_id
    WHERE project.key = ?
"""
ARTIFACTS = "SELECT name, description, category, size_bytes, sha256 FROM tracking_artifact"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the original client and nothing of ours."""
    home = tmp_path_factory.mktemp("original")
    python = home / "bin" / "python"
    commands = [
        [sys.executable, "-m", "venv", str(home)],
        [str(python), "-m", "pip", "install", "--quiet", *PACKAGES],
    ]
    for command in commands:
        subprocess.run(command, cwd=home, env=plain_env(), check=True, timeout=INSTALL_S)
    return python


def plain_env(**more: str) -> dict[str, str]:
    """Ours, without what would lead to our own packages."""
    ours = ("PYTHON", "RUNYARD_", "ASPARA_", "VIRTUAL_ENV", "DJANGO_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | more


@pytest.fixture
def server() -> Iterator[LiveServer]:
    with live_server() as one:
        yield one


@pytest.mark.parametrize("suffix", ["", "/tracker"])
def test_original_client_completes_a_run(
    python: Path, server: LiveServer, tmp_path: Path, suffix: str
) -> None:
    model = tmp_path / "weights.bin"
    model.write_bytes(MODEL)

    said = subprocess.run(
        [str(python), "-I", "-c", SCRIPT, server.url + suffix, str(model)],
        cwd=tmp_path,
        env=plain_env(HOME=str(tmp_path), ASPARA_DATA_DIR=str(tmp_path / "data")),
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )

    assert said.returncode == 0, said.stderr
    facts = json.loads(said.stdout.splitlines()[-1])
    assert Path(facts["client"]).is_relative_to(python.parents[1])
    check_run(server.data_dir, tags=["baseline", "v2"] if facts["sets_tags"] else None)
    check_points(server.data_dir)
    assert query(server.data_dir, ARTIFACTS) == [
        ("model.bin", "weights", "model", len(MODEL), hashlib.sha256(MODEL).hexdigest())
    ]


def check_run(data_dir: Path, *, tags: list[str] | None) -> None:
    [(key, status, exit_code, config, summary, run_tags, notes, project_tags)] = query(
        data_dir, RUN_ROW, PROJECT
    )
    assert (key, status, exit_code) == (RUN, "completed", 0)
    assert json.loads(config) == {
        "lr": 0.01, "net": {"layers": 2}, "epochs": 3, "optimizer": "adam",
    }  # fmt: skip
    assert json.loads(summary) == {"best": 0.05}
    assert json.loads(run_tags) == (tags or ["baseline", "v1"])
    assert notes == "from the original client"
    assert json.loads(project_tags) == ["upstream"]


def check_points(data_dir: Path) -> None:
    steps = np.arange(STEPS)
    expected = {(RUN, "loss"): 1 / (steps + 1), (RUN, "train/accuracy"): steps / STEPS}

    points = read_points(data_dir, PROJECT)

    assert {name: columns.values.tolist() for name, columns in points.items()} == {
        name: values.tolist() for name, values in expected.items()
    }
    assert all(columns.steps.tolist() == steps.tolist() for columns in points.values())
