"""What other trackers write today, each in an environment of its own, is imported whole."""

import math
import os
import subprocess
from pathlib import Path

import pytest

from tests.originals.environments import JOBS, KEPT, find_environment
from tests.sdk.importing import test_mlflow as flow
from tests.sdk.importing import test_tensorboard as board
from tests.sdk.importing.reading import Reading

pytestmark = [pytest.mark.e2e, pytest.mark.full]
RUN_S = 300


def run_job(python: Path, folder: Path, job: str, *arguments: str) -> None:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    subprocess.run(
        [str(python), "-I", str(JOBS / f"{job}.py"), *arguments],
        cwd=folder,
        env={**kept, "HOME": str(folder), "MLFLOW_ALLOW_FILE_STORE": "true", "USER": "alice"},
        check=True,
        timeout=RUN_S,
        capture_output=True,
    )


@pytest.mark.parametrize("kind", ["files", "database"])
def test_runs_that_mlflow_tracks_now_are_imported(tmp_path: Path, kind: str) -> None:
    run_job(find_environment("mlflow"), tmp_path, "flow", kind)

    flow.test_all_of_a_run_arrives(tmp_path)
    flow.test_artifacts_arrive_with_their_folders(tmp_path)
    flow.test_children_failures_and_silent_runs(tmp_path)
    flow.test_deleted_runs_are_left_out_and_told(tmp_path)


def test_files_that_tensorboardx_writes_now_are_imported(tmp_path: Path) -> None:
    run_job(find_environment("tensorboardX", "pillow"), tmp_path, "board", "tensorboardX", ".")

    reading = Reading(tmp_path)

    name = tmp_path.name
    run, trial = reading.runs[f"{name}/vision/cnn"], reading.runs[f"{name}/vision/cnn/trial"]
    loss = [(step, pytest.approx(1 / (step + 1))) for step in range(20)]
    again = [(step, pytest.approx(2 / (step + 1))) for step in range(15, 25)]
    odd = [(20, pytest.approx(math.nan, nan_ok=True)), (21, math.inf)]
    assert run.points["train/loss"] == [*loss, *odd, *again]
    assert run.times_us["train/loss"][0] == board.NOW_US
    assert [line["message"] for line in run.payloads("log")] == [
        "**bold** <script>alert(1)</script>"
    ]
    assert trial.payloads("config") == [{"lr": 0.1, "layers": 3, "optimizer": "adam"}]
    assert trial.points == {"hparam/acc": [(0, 0.75)]}


def test_files_that_tensorboard_writes_now_are_imported(tmp_path: Path) -> None:
    run_job(find_environment("tensorboard"), tmp_path, "board", "tensorboard", ".")

    assert Reading(tmp_path).run.points == {"loss": [(step, step / 8) for step in range(10)]}
