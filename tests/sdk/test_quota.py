"""A project whose room is used up, and a job that goes on logging files to it."""

from pathlib import Path

import pytest
from runyard.api import Api

from tests.e2e.live import live_server
from tests.sdk.jobs import run_job

pytestmark = pytest.mark.e2e
JOB = """
os.chdir({folder!r})
run = aspara.init(project="full", name="r")
for number in range(3):
    run.log({{"loss": number}})
    with open(f"{{number}}.pt", "wb") as file:
        file.write(bytes([number]) * 30_000)
    run.log_artifact(f"{{number}}.pt")
run.log({{"loss": 3}})
run.finish()
"""


def test_files_beyond_the_quota_are_warned_of_once_and_training_goes_on(tmp_path: Path) -> None:
    folder, root = tmp_path / "job", tmp_path / "sdk"
    folder.mkdir()
    with live_server(RUNYARD_PROJECT_QUOTA="50000") as server:
        code, errors = run_job(JOB.format(folder=str(folder)), root, server.url)
        run = Api(server.url).run("full", "r")
        [_, values, _] = run.series("loss")["loss"]

    assert (code, run.status) == (0, "completed")
    assert list(values) == [0.0, 1.0, 2.0, 3.0]
    assert [one["name"] for one in run.facts["artifacts"]] == ["0.pt"]
    assert errors.count("The quota of project 'full' is used up") == 1, errors
    kept = [path for path in (root / "dead-letter").iterdir() if path.suffix == ".pt"]
    assert sorted(path.read_bytes() for path in kept) == [b"\x01" * 30_000, b"\x02" * 30_000]
