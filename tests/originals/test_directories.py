"""Directories on disk that the original clients and ours write in turns, at once, and import."""

from pathlib import Path
from typing import Any

import pytest
from runyard.cli import main
from runyard.dash.reading import Experiment, read_experiment

from tests.chaos.points import query
from tests.e2e.live import LiveServer, live_server
from tests.originals.conftest import make_token
from tests.originals.environments import OURS, RUN_S, VERSIONS, Client

pytestmark = pytest.mark.full
PREFIX = "alice/proj/sweeps/shared"
ROWS = 10  # of a turn


def expected(turns: list[str]) -> dict[str, Any]:
    """What somebody finds after these turns."""
    train = [(who, i) for who in turns for i in range(ROWS)]
    params = {name: value for who in turns for name, value in ((f"{who}.n", 1), ("last", who))}
    return {
        "params": params,
        "train": [[index, who, i] for index, (who, i) in enumerate(train)],
        "deep": [[index, who, 0] for index, who in enumerate(turns)],
        "files": {f"{who}.txt": f"of {who}" for who in turns},
    }


@pytest.mark.parametrize(
    "versions",
    [
        ("0.6.27", OURS, "0.11.0", OURS, "0.6.27"),
        (OURS, "0.6.27", OURS, "0.11.0", OURS),
    ],
)
def test_directory_is_continued_in_turns(versions: tuple[str, ...], tmp_path: Path) -> None:
    root, turns = tmp_path / ".dash", []

    for number, version in enumerate(versions):
        who = f"{version.replace('.', '-')}-{number}"
        client = Client(version, tmp_path / f"home-{number}")
        facts = client.run("turn", root=str(root), prefix=PREFIX, who=who)

        assert facts["found"] == expected(turns), f"before the turn of {who}"
        turns.append(who)

    check_directory(read_experiment(root / PREFIX, root), turns)


def check_directory(experiment: Experiment, turns: list[str]) -> None:
    lines = [line for _, line in experiment.logs()]
    assert [line["message"] for line in lines] == [
        f"{who} {i}" for who in turns for i in range(ROWS)
    ]
    assert [line["sequenceNumber"] for line in lines] == list(range(len(lines)))
    streams = {stream.name: stream for stream in experiment.streams()}
    assert {name: len(list(experiment.rows(stream))) for name, stream in streams.items()} == {
        "train": ROWS * len(turns),
        "train/deep": len(turns),
    }
    files = [(file.entry["filename"], file.is_deleted) for file in experiment.files()]
    assert sorted(files) == sorted(
        each for who in turns for each in ((f"{who}.txt", False), (f"{who}-gone.txt", True))
    )
    assert (experiment.about.readme, experiment.about.tags) == ("# Shared", ["t"])
    assert experiment.params == expected(turns)["params"]
    assert experiment.problems == []


@pytest.mark.parametrize("version", VERSIONS)
def test_processes_write_at_the_same_time(version: str, tmp_path: Path) -> None:
    root, rows = tmp_path / ".dash", 300
    clients = [Client(name, tmp_path / name) for name in (version, OURS)]
    jobs = [
        client.start("crowd", root=str(root), prefix=PREFIX, who=client.version, rows=rows, crowd=2)
        for client in clients
    ]

    try:
        said = [job.communicate(timeout=RUN_S) for job in jobs]
    finally:
        for job in jobs:
            job.kill()

    assert [job.returncode for job in jobs] == [0, 0], said
    spans = [client.facts()["span"] for client in clients]
    assert max(begun for begun, _ in spans) < min(ended for _, ended in spans)
    experiment = read_experiment(root / PREFIX, root)
    [stream] = experiment.streams()
    found = [row for _, row in experiment.rows(stream)]
    by_whom = {
        who: [row["data"]["i"] for row in found if row["data"]["who"] == who]
        for who in (version, OURS)
    }
    assert by_whom == {who: list(range(rows)) for who in (version, OURS)}
    assert [row["index"] for row in found] == list(range(2 * rows))
    lines = [line["message"] for _, line in experiment.logs()]
    assert sorted(lines) == sorted(f"{who} {i}" for who in (version, OURS) for i in range(rows))
    assert experiment.problems == []


@pytest.mark.e2e
@pytest.mark.parametrize("version", VERSIONS)
def test_import_of_what_was_logged_to_both_doubles_nothing(version: str, tmp_path: Path) -> None:
    root = tmp_path / ".dash"
    with live_server() as server:
        client = Client(version, tmp_path / "home")
        client.sign_in(make_token(server, is_open=True))
        client.run("hybrid", root=str(root), url=server.url, prefix=PREFIX)
        before = count_all(server)

        assert main(["import", str(root), "--url", server.url]) == 0

        assert before == {
            "runs": [("shared", "completed")],
            "rows": [("", 50), ("eval", 50), ("tracks/robot/pose", 50), ("train", 50)],
            "lines": 50,
            "files": [("models", "model.txt", 5)],
        }
        assert count_all(server) == before


def count_all(server: LiveServer) -> dict[str, Any]:
    rows = "SELECT stream, SUM(count) FROM tracking_rowblock GROUP BY stream"
    files = "SELECT path, name, size_bytes FROM tracking_artifact WHERE deleted_at IS NULL"
    return {
        "runs": query(server.data_dir, "SELECT name, status FROM tracking_run"),
        "rows": query(server.data_dir, rows),
        "lines": query(server.data_dir, "SELECT COUNT(*) FROM tracking_logline")[0][0],
        "files": query(server.data_dir, files),
    }
