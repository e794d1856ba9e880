"""Opens an experiment on disk, tells what is there, and adds something of its own to each part."""

import hashlib
import json
import sys
import time
from pathlib import Path

import ml_dash
from ml_dash import Experiment

ROWS = 10


def look(e):
    return {
        "params": e.params.get(),
        "train": rows_of(e.metrics("train")),
        "deep": rows_of(e.metrics("train/deep")),
        "files": {entry["filename"]: digest(e, entry) for entry in e.files("models").list()},
    }


def rows_of(metric):
    data = metric.read(start_index=0, limit=1000)["data"]
    if data:
        assert int(metric.stats()["totalDataPoints"]) == len(data)
    return [[int(row["index"]), row["data"]["who"], row["data"]["i"]] for row in data]


def digest(e, entry):
    path = e.files(file_id=entry["id"]).download(to="fetched")
    content = Path(path).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["checksum"]
    return content.decode()


def add(e, who):
    e.params.set(**{who: {"n": 1}}, last=who)
    for i in range(ROWS):
        e.metrics("train").log(who=who, i=i)
        e.log(f"{who} {i}", level="warn", i=i)
    e.metrics("train/deep").log(who=who, i=0)
    for name in (f"{who}.txt", f"{who}-gone.txt"):
        Path(name).write_text(f"of {who}")
        e.files("models").upload(name, tags=[who])
    e.flush()
    for _ in range(100):  # another thread may still copy
        listed = {entry["filename"]: entry for entry in e.files("models").list()}
        if f"{who}-gone.txt" in listed and f"{who}.txt" in listed:
            break
        time.sleep(0.1)
    e.files(file_id=listed[f"{who}-gone.txt"]["id"]).delete()


def main(root, prefix, who):
    with Experiment(prefix=prefix, dash_root=root, readme="# Shared", tags=["t"]).run as e:
        found = look(e)
        add(e, who)
    return {
        "client": ml_dash.__file__,
        "version": getattr(ml_dash, "__version__", "ours"),
        "found": found,
    }


facts = main(**json.loads(sys.argv[1]))
Path("facts.json").write_text(json.dumps(facts))
