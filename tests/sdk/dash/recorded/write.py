"""What wrote the directories beside it: the original `ml-dash`, in local mode, in one of its versions.

    cd tests/sdk/dash/recorded && ML_DASH_NO_VERSION_CHECK=1 .../bin/python write.py 0.11.0

The words and numbers below are what tests look for in them.
"""

import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

WHOLE = "alice/vision/sweeps/lr/exp-1"
INNER = f"{WHOLE}/inner"  # an experiment below another
AGAIN = "alice/vision/exp-2"  # continued twice
CUT = "alice/vision/exp-3"  # its process was killed
SHORT = "alice/short"
ABOUT: dict[str, Any] = {
    "readme": "# What it is\n\nWords.",
    "tags": ["baseline", "größer"],
    "metadata": {"gpu": 1, "host": {"cores": 8}},
}
BINDRS = ["v1", "v2"]
PARAMS = {"lr": 0.1, "model": {"layers": 3, "name": "résnet"}, "sizes": [1, 2]}
FLAT_PARAMS = {"lr": 0.2, "model.layers": 3, "model.name": "résnet", "sizes": [1, 2], "seed": None}
LINES: list[tuple[str, str, dict[str, Any]]] = [
    *(
        (level, f"at {level}", {"epoch": 1})
        for level in ("debug", "info", "warn", "error", "fatal")
    ),
    ("info", "two\nlines, and no more", {}),
    ("warn", "ü\u2028", {"deep": {"a": [1, None]}}),
]
ROWS: dict[str | None, list[dict[str, Any]]] = {
    "train": [
        *({"loss": 1 / (i + 1), "step": i, "note": f"n{i}", "hist": [i, 2]} for i in range(120)),
        {"loss": float("nan")},
        {"loss": float("inf"), "low": float("-inf")},
    ],
    "train/layer0": [{"norm": i / 4} for i in range(20)],
    "eval": [{"epoch": i, "acc": i / 10} for i in range(5)],  # with the ones without a name
    None: [{"epoch": i} for i in range(5)],
}
SUMMARY = {"loss.mean": 3.0, "loss.max": 6.0, "loss.count": 3, "epoch": 1}  # of `train/batch`
TRACKS: dict[str, list[dict[str, Any]]] = {
    "robot/pose": [{"_ts": 1.5 + i, "q": [i, 2], "position.x": i / 4} for i in range(30)],
    "clock": [{"_ts": 1.0, "tick": True}],
}
FILES = {  # folder and name → bytes
    ("/models", "weights.bin"): b"newer" * 100,
    ("/configs/deep", "config.json"): b'{\n  "lr": 0.1\n}',
    ("/", "a file.txt"): b"words",
}
DELETED = ("/models", "old.bin")
FILE_WORDS: dict[str, Any] = {"description": "best", "tags": ["best"], "metadata": {"epoch": 3}}


def write_whole(e: Any, folder: Path) -> None:
    e.params.set(**PARAMS)
    e.params.set(lr=0.2, seed=None)
    for level, message, words in LINES:
        e.log(message, level=level, metadata=words)
    for stream in ("train", "train/layer0"):
        metric = e.metrics(stream, description="of a stream", tags=["t"], metadata={"unit": "1"})
        for row in ROWS[stream]:
            metric.log(**row)
    for row in ROWS["eval"]:
        e.metrics.log(epoch=row["epoch"], eval={"acc": row["acc"]})
    for value in (1.0, 2.0, 6.0):
        e.metrics("train/batch").buffer(loss=value)
    e.metrics.buffer.log_summary("mean", "max", "count", epoch=1)
    for topic, entries in TRACKS.items():
        for entry in entries:
            e.tracks(topic).append(**entry)
    write_files(e, folder)


def write_files(e: Any, folder: Path) -> None:
    for name, content in (("weights.bin", b"older"), ("old.bin", b"old")):
        (folder / name).write_bytes(content)
        e.files("models").upload(str(folder / name))
    wait_for_files(e, 2)
    for (path, name), content in FILES.items():
        (folder / name).write_bytes(content)
        e.files(path, bindrs=BINDRS).upload(str(folder / name), **FILE_WORDS)
    listed = wait_for_files(e, 4)
    e.files(file_id=listed[DELETED[1]]).delete()


def wait_for_files(e: Any, count: int) -> dict[str, str]:
    """Name → id. A flush may return while another thread still writes."""
    e.flush()
    time.sleep(1)
    listed = {entry["filename"]: entry["id"] for entry in e.files().list()}
    assert len(listed) == count, listed
    return listed


def main(root: str) -> None:
    from ml_dash import Experiment

    def run(prefix: str, **words: Any) -> Any:
        return Experiment(prefix=prefix, dash_root=root, **words).run

    folder = Path("saved")  # not a temporary one: the original deletes what it saves from there
    folder.mkdir()
    with run(WHOLE, **ABOUT, bindrs=BINDRS) as e:
        write_whole(e, folder)
    shutil.rmtree(folder)
    with run(INNER) as e:
        e.metrics("train").log(loss=1)
    for i in range(3):
        with run(AGAIN) as e:
            e.params.set(count=i)
            e.metrics("train").log(loss=i)
            e.log(f"time {i}")
    with run(SHORT) as e:
        e.log("short")
    e = run(CUT).start()
    e.params.set(lr=1)
    e.metrics("train").log(loss=0)
    e.flush()
    e.metrics("train").log(loss=1)  # in memory only
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
