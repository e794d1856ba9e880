"""The original ML-Dash clients log a run of everything there is, and find it here again."""

import hashlib
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.points import query, read_points
from tests.originals.conftest import OWNER, Place
from tests.originals.environments import VERSIONS, Client

pytestmark = [pytest.mark.e2e, pytest.mark.full]
BATCHED, SINGLE = 2500, 40  # rows: the first are three batches
WEIGHTS = b"weights" * 1000
CHECKSUM = hashlib.sha256(WEIGHTS).hexdigest()
PARAMS = {"lr": 0.2, "model.layers": 3, "model.name": "résnet", "sizes": [1, 2], "seed": 7}
RUN_ID = """
    SELECT run.id FROM tracking_run run JOIN tracking_project project ON project.id = run.project_id
    WHERE project.namespace = ? AND project.name = ? AND run.name = ?
"""
RUN = "SELECT status, source, folder, readme, tags, bindrs, config, metadata FROM tracking_run"
KEYS = """
    SELECT project.key, run.key FROM tracking_run run
    JOIN tracking_project project ON project.id = run.project_id WHERE run.id = ?
"""
LINES = "SELECT level, message, metadata FROM tracking_logline WHERE run_id = ? ORDER BY seq"
STREAMS = "SELECT stream, SUM(count) FROM tracking_rowblock WHERE run_id = ? GROUP BY stream"
FILES = """
    SELECT path, name, description, tags, metadata, size_bytes, sha256, deleted_at IS NOT NULL
    FROM tracking_artifact WHERE run_id = ? ORDER BY path
"""


@pytest.mark.parametrize("rows", [BATCHED, SINGLE])
@pytest.mark.parametrize("version", VERSIONS)
def test_original_client_completes_a_run(
    place: Place, version: str, rows: int, tmp_path: Path
) -> None:
    client = Client(version, tmp_path / "home")
    client.sign_in(place.token)
    name = f"{version} of {rows}"
    options = {"prefix": f"{OWNER}/proj/sweeps/lr/{name}", "rows": rows}

    facts = client.run("whole_run", url=place.server.url, is_buffered=rows == BATCHED, **options)

    [(run_id,)] = query(place.server.data_dir, RUN_ID, OWNER, "proj", name)
    if version == "0.6.27":  # its two threads send the batches of one metric in any order
        facts["metrics"]["loss"].sort()
        facts["metrics"]["note"].sort(key=lambda note: int(note[1:]))
    check_facts(facts, rows)
    check_run(place.server.data_dir, run_id)
    check_records(place.server.data_dir, run_id, rows)
    check_points(place.server.data_dir, run_id, rows)
    check_pages(place, run_id)


def check_facts(facts: dict[str, Any], rows: int) -> None:
    """What the client itself was told."""
    metrics, files = facts.pop("metrics"), facts.pop("files")
    assert facts.pop("id").isdecimal()
    assert facts == {
        "params": PARAMS,
        "nested_params": {
            "lr": 0.2,
            "model": {"layers": 3, "name": "résnet"},
            "sizes": [1, 2],
            "seed": 7,
        },
        "track": [250, {"timestamp": 1.5, "q": [0, 2], "position.x": 0.0}, 250.5],
        "part": 10,
        "lines": 250,
        "tracks": ["robot/pose"],
        "errors": ["at error", "at fatal"],
    }
    assert metrics == {
        "names": ["None", "a", "a/b", "eval", "test", "train", "train/batch"],
        "total": rows,
        "stats_of": "train",
        "nested": [1],
        "loss": [i / 8 for i in range(rows)],
        "note": [f"n{i}" for i in range(rows)],
    }
    check_file_facts(files)


def check_file_facts(files: dict[str, Any]) -> None:
    assert files == {
        "listed": [
            ["/configs", "config.json"],
            ["/models", "weights.bin"],
            ["/notes", "words.txt"],
        ],
        "entry": {
            "description": "best",
            "tags": ["best", "v1"],
            "metadata": {"epoch": 3},
            "sizeBytes": len(WEIGHTS),
        },
        "checksum": CHECKSUM,
        "is_same": True,
        "changed": ["better", ["v2"], {"epoch": 4}],
        "deleted": True,
        "left": ["config.json", "weights.bin"],
        "found": True,
        "text": '{\n  "lr": 0.1\n}',
    }


def check_run(data_dir: Path, run_id: int) -> None:
    [(*words, tags, bindrs, config, metadata)] = query(data_dir, f"{RUN} WHERE id = ?", run_id)
    assert words == ["completed", "ml_dash", "sweeps/lr", "# What it is"]
    assert [json.loads(text) for text in (tags, bindrs, config)] == [["a", "b"], ["v1"], PARAMS]
    assert json.loads(metadata)["metadata"] == {"gpu": 1}


def check_records(data_dir: Path, run_id: int, rows: int) -> None:
    lines = [(*line, json.loads(more)) for *line, more in query(data_dir, LINES, run_id)]
    levels = ("debug", "info", "warn", "error", "fatal")
    assert lines == [
        *((level, f"at {level}", {"epoch": 1}) for level in levels),
        ("info", "fluent", {"lr": 0.1, "tags": ["a"]}),
    ]
    assert dict(query(data_dir, STREAMS, run_id)) == {
        "": 3,
        "a": 1,
        "a/b": 1,
        "eval": 3,
        "test": 3,
        "tracks/robot/pose": 250,
        "train": rows,
        "train/batch": 1,
    }
    config = b'{\n  "lr": 0.1\n}'
    assert query(data_dir, FILES, run_id) == [
        ("configs", "config.json", "", "[]", "{}", len(config), sha256(config), 0),
        ("models", "weights.bin", "better", '["v2"]', '{"epoch": 4}', 7000, CHECKSUM, 0),
        ("notes", "words.txt", "", "[]", "{}", 10, sha256(b"some words"), 1),
    ]


def check_points(data_dir: Path, run_id: int, rows: int) -> None:
    [(project, run)] = query(data_dir, KEYS, run_id)
    points = {
        name: columns.values.tolist()
        for (key, name), columns in read_points(data_dir, project).items()
        if key == run
    }
    assert {name: len(values) for name, values in points.items()} == {
        **dict.fromkeys(("train/loss", "train/step", "train/nested/deep"), rows),
        "tracks/robot/pose/position.x": 250,
        **dict.fromkeys(("epoch", "eval/epoch", "eval/loss", "test/epoch", "test/loss"), 3),
        **dict.fromkeys(("a/x", "a/b/x", "train/batch/epoch"), 1),
        **dict.fromkeys((f"train/batch/loss.{name}" for name in ("mean", "max", "count")), 1),
    }
    assert sorted(points["train/step"]) == list(range(rows))
    assert [step / 8 for step in points["train/step"]] == points["train/loss"]
    assert points["train/nested/deep"] == points["train/step"]
    assert points["eval/loss"] == [0.5, 1.5, 2.5]
    assert [points[f"train/batch/loss.{name}"] for name in ("mean", "max", "count")] == [
        [3],
        [6],
        [3],
    ]


def check_pages(place: Place, run_id: int) -> None:
    [(project, run)] = query(place.server.data_dir, KEYS, run_id)
    page = fetch(place, f"/projects/{project}/runs/{run}")
    assert [word in page for word in ("What it is", "train/loss", "weights.bin")] == [True] * 3


def fetch(place: Place, path: str) -> str:
    request = urllib.request.Request(
        place.server.url + path, headers={"Authorization": f"Bearer {place.token}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
