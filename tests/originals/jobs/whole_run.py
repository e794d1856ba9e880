"""Logs one run of everything there is, reads it back, and tells what came."""

import json
import os
import sys
import time
from pathlib import Path

import ml_dash
from ml_dash import Experiment

options = json.loads(sys.argv[1])
os.environ["ML_DASH_BUFFER_ENABLED"] = str(options["is_buffered"])  # else a request for each row
ROWS = options["rows"]
LEVELS = ("debug", "info", "warn", "error", "fatal")


def log(e):
    e.params.set(lr=0.1, model={"layers": 3, "name": "résnet"}, sizes=[1, 2])
    e.params.set(lr=0.2, seed=7)
    for level in LEVELS:
        e.log(f"at {level}", level=level, epoch=1)
    e.logs.info("fluent", lr=0.1, tags=["a"])
    for i in range(ROWS):
        e.metrics("train").log(loss=i / 8, step=i, note=f"n{i}", nested={"deep": i})
    for epoch in range(3):
        e.metrics.log(epoch=epoch, eval={"loss": 0.5 + epoch}, test={"loss": 0.7})
    for value in (1.0, 2.0, 6.0):
        e.metrics("train/batch").buffer(loss=value)
    e.metrics.buffer.log_summary("mean", "max", "count", epoch=1)
    e.metrics("a/b").log(x=1)
    e.metrics("a").log(x=2)
    for n in range(250):
        e.tracks("robot/pose").append(_ts=1.5 + n, q=[n, 2], position={"x": n / 4})


def wait_for_files(e, count):
    """A flush of older ones may return while their own thread still uploads."""
    e.flush()
    for _ in range(100):
        listed = {entry["filename"]: entry for entry in e.files().list()}
        if len(listed) == count:
            return listed
        time.sleep(0.1)
    raise SystemExit(f"Of {count} files there are {sorted(listed)}.")


def use_files(e):
    Path("weights.bin").write_bytes(b"weights" * 1000)
    e.files("models").upload(
        "weights.bin", description="best", tags=["best", "v1"], metadata={"epoch": 3}
    )
    e.files("configs").save_json({"lr": 0.1}, to="config.json")
    e.files("notes").save_text("some words", to="words.txt")
    listed = wait_for_files(e, 3)
    model = listed["weights.bin"]
    path = e.files(file_id=model["id"]).download(to="again.bin")
    changed = e.files(
        file_id=model["id"], description="better", tags=["v2"], metadata={"epoch": 4}
    ).update()
    deleted = e.files(file_id=listed["words.txt"]["id"]).delete()
    return {
        "listed": sorted((entry["path"], name) for name, entry in listed.items()),
        "entry": {key: model[key] for key in ("description", "tags", "metadata", "sizeBytes")},
        "checksum": model["checksum"],
        "is_same": Path(path).read_bytes() == Path("weights.bin").read_bytes(),
        "changed": [changed[key] for key in ("description", "tags", "metadata")],
        "deleted": deleted["id"] == listed["words.txt"]["id"] and bool(deleted["deletedAt"]),
        "left": sorted(entry["filename"] for entry in e.files().list()),
        "found": e.files("configs/config.json").exists(),
        "text": e.files("configs/config.json").read_text(),
    }


def read_metrics(e):
    stats = e.metrics("train").stats()
    rows = list(read_rows(e.metrics("train")))
    return {
        "names": sorted(str(each["name"]) for each in e.metrics("train").list_all()),
        "total": int(stats["totalDataPoints"]),
        "stats_of": stats["name"],
        "nested": [row["x"] for row in read_rows(e.metrics("a/b"))],
        "loss": [row["loss"] for row in rows],
        "note": [row["note"] for row in rows],
    }


def read_rows(metric):
    if hasattr(metric, "iter_row_blocks"):  # newer ones, which have no indices
        for block in metric.iter_row_blocks(limit=1000):
            names = [column.name for column in block.columns]
            yield from (dict(zip(names, row, strict=True)) for row in block.rows)
        return
    start, has_more = 0, True
    while has_more:
        page = metric.read(start_index=start, limit=1000)
        yield from (row["data"] for row in page["data"])
        start, has_more = int(page["endIndex"]) + 1, page["hasMore"]


def read(e):
    track = e.tracks("robot/pose").read()
    errors = e._client.query_logs(
        e.id, level=["error", "fatal"], order_by="sequenceNumber", order="asc"
    )
    return {
        "params": e.params.get(),
        "nested_params": e.params.get(flatten=False),
        "metrics": read_metrics(e),
        "track": [track["count"], track["entries"][0], track["entries"][-1]["timestamp"]],
        "part": len(
            e.tracks("robot/pose").read(start_timestamp=10.0, end_timestamp=20.0)["entries"]
        ),
        "lines": e.tracks("robot/pose").read(format="jsonl").decode().count("\n"),
        "tracks": [each["topic"] for each in e._client.list_tracks(e.id, "robot/*")],
        "errors": [line["message"] for line in errors["logs"]],
    }


def main(url, prefix, **_):
    experiment = Experiment(
        prefix=prefix,
        readme="# What it is",
        tags=["a", "b"],
        bindrs=["v1"],
        metadata={"gpu": 1},
        dash_url=url,
        dash_root=None,
    )
    with experiment.run as e:
        log(e)
        files = use_files(e)
        facts = read(e)
    return {
        "client": ml_dash.__file__,
        "version": ml_dash.__version__,
        "id": experiment.id,
        "files": files,
        **facts,
    }


facts = main(**options)
Path("facts.json").write_text(json.dumps(facts))
