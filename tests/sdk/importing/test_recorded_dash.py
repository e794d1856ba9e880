"""What the original ML-Dash client left on disk, brought to the server: nothing less, nothing twice."""

import hashlib
import json
import math
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runyard.cli import main

from tests.chaos.points import query, read_points
from tests.e2e.live import LiveServer, live_server
from tests.sdk.dash.recorded import write

pytestmark = pytest.mark.e2e
RECORDED = Path(write.__file__).parent
PROJECTS = {write.WHOLE: "vision", write.SHORT: "short"}
STREAMS = {stream or "": rows for stream, rows in write.ROWS.items()}
RUNS = """
    SELECT project.namespace || '/' || project.name || '/' || run.folder || '/' || run.name,
    run.status, run.config FROM tracking_run run
    JOIN tracking_project project ON project.id = run.project_id ORDER BY 1
"""
RUN = """
    SELECT run.id, project.key, run.key FROM tracking_run run
    JOIN tracking_project project ON project.id = run.project_id
    WHERE project.namespace = 'alice' AND run.folder = ? AND run.name = ?
"""
WORDS = "SELECT readme, tags, bindrs, config, metadata FROM tracking_run WHERE id = ?"
BLOCKS = "SELECT stream, SUM(count) FROM tracking_rowblock WHERE run_id = ? GROUP BY stream"
LINES = "SELECT level, message, metadata FROM tracking_logline WHERE run_id = ? ORDER BY seq"
FILES = """
    SELECT '/' || path, name, sha256, description, tags, bindrs, metadata FROM tracking_artifact
    WHERE run_id = ? AND deleted_at IS NULL
"""


@pytest.fixture(scope="module", params=["0.6.27", "0.11.0"])
def server(request: pytest.FixtureRequest) -> Iterator[LiveServer]:
    """One that took in all of a version's directory, and then once more."""
    with live_server() as server:
        options = ["--url", server.url, "--idle=-1e9"]  # whatever the clock says: long ago
        for _ in range(2):
            assert main(["import", str(RECORDED / request.param), *options]) == 0
        yield server


def find_whole(server: LiveServer) -> tuple[int, str, str]:
    [(run_id, project, run)] = query(server.data_dir, RUN, "sweeps/lr", "exp-1")
    return run_id, project, run


def test_all_runs_came(server: LiveServer) -> None:
    runs = query(server.data_dir, RUNS)

    assert [(path, status, json.loads(config)) for path, status, config in runs] == [
        ("alice/short//short", "completed", {}),
        ("alice/vision//exp-2", "completed", {"count": 2}),
        ("alice/vision//exp-3", "completed", {"lr": 1}),
        ("alice/vision/sweeps/lr/exp-1", "completed", write.FLAT_PARAMS),
        ("alice/vision/sweeps/lr/exp-1/inner", "completed", {}),
    ]


def test_words_lines_and_counts_of_a_run_came(server: LiveServer) -> None:
    run_id, _, _ = find_whole(server)

    [(readme, *words)] = query(server.data_dir, WORDS, run_id)

    tags, bindrs, config, metadata = map(json.loads, words)
    about = {"readme": readme, "tags": tags, "metadata": metadata["metadata"]}
    assert (about, bindrs, config) == (write.ABOUT, write.BINDRS, write.FLAT_PARAMS)
    lines = query(server.data_dir, LINES, run_id)
    assert [(level, text, json.loads(more)) for level, text, more in lines] == write.LINES
    assert dict(query(server.data_dir, BLOCKS, run_id)) == {
        **{stream: len(rows) for stream, rows in STREAMS.items()},
        **{f"tracks/{topic}": len(entries) for topic, entries in write.TRACKS.items()},
        "train/batch": 1,
    }


def test_all_numbers_of_a_run_are_drawn(server: LiveServer) -> None:
    _, project, run = find_whole(server)

    points = {
        name: columns.values.tolist()
        for (key, name), columns in read_points(server.data_dir, project).items()
        if key == run
    }

    expected = [row["loss"] for row in write.ROWS["train"]]
    assert str(points["train/loss"]) == str(expected)
    assert sum(map(math.isnan, expected)) == 1
    assert points["train/low"] == [-math.inf]
    assert points["train/layer0/norm"] == [i / 4 for i in range(20)]
    assert points["eval/acc"] == [i / 10 for i in range(5)]
    assert points["train/batch/loss.mean"] == [3]
    assert len(points["tracks/robot/pose/position.x"]) == len(write.TRACKS["robot/pose"])


def test_rows_are_read_back_as_they_were_logged(server: LiveServer) -> None:
    run_id, _, _ = find_whole(server)
    logged = {stream or "None": rows for stream, rows in write.ROWS.items()}

    for stream, rows in logged.items():
        path = f"/api/experiments/3{run_id:018}/metrics/{stream}/data?limit=1000"
        data = json.loads(fetch(server, path))["data"]

        assert [int(row["index"]) for row in data] == list(range(len(rows)))
        assert [without_time(row["data"]) for row in data] == [in_words(row) for row in rows]


def without_time(row: dict[str, Any]) -> dict[str, Any]:
    assert row.pop("_ts") > 1.7e9
    return row


def in_words(row: dict[str, Any]) -> dict[str, Any]:
    """As the wire has them: JSON knows no NaN."""
    words = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return {name: words.get(str(value), value) for name, value in row.items()}


def test_all_files_came_byte_by_byte(server: LiveServer) -> None:
    run_id, _, _ = find_whole(server)

    files = query(server.data_dir, FILES, run_id)

    assert {(path, name): sha for path, name, sha, *_ in files} == {
        name: hashlib.sha256(content).hexdigest() for name, content in write.FILES.items()
    }
    for *_, description, tags, bindrs, metadata in files:
        words = {"description": description, "tags": json.loads(tags)}
        assert {**words, "metadata": json.loads(metadata)} == write.FILE_WORDS
        assert json.loads(bindrs) == write.BINDRS
    listed = json.loads(fetch(server, f"/api/experiments/3{run_id:018}/files"))["files"]
    assert {
        (entry["path"], entry["filename"]): fetch(server, f"/api/nodes/{entry['id']}/download")
        for entry in listed
    } == write.FILES


def fetch(server: LiveServer, path: str) -> bytes:
    with urllib.request.urlopen(server.url + path, timeout=30) as answer:
        content: bytes = answer.read()
    return content
