"""Logs, says so, waits until it is told that the server has gone, logs on, and ends."""

import json
import sys
import time
from pathlib import Path

import ml_dash
from ml_dash import Experiment

ROWS = 50


def wait_for(path):
    for _ in range(600):
        if Path(path).exists():
            return
        time.sleep(0.1)
    raise SystemExit(f"{path} did not come.")


def main(url, prefix):
    experiment = Experiment(prefix=prefix, dash_url=url, dash_root=None)
    experiment.run.start()
    for i in range(ROWS):
        experiment.metrics("train").log(loss=i)
        experiment.log(f"line {i}")
    experiment.flush()
    Path("begun").touch()
    wait_for("gone")
    for i in range(ROWS, 2 * ROWS):
        experiment.metrics("train").log(loss=i)
        experiment.log(f"line {i}")
        experiment.tracks("pose").append(_ts=float(i), x=i)
    Path("end.txt").write_text("of the run")
    experiment.files("logs").upload("end.txt")
    Path("ending").touch()
    begun_s = time.monotonic()
    experiment.run.complete()
    return {
        "client": ml_dash.__file__,
        "version": ml_dash.__version__,
        "took_s": time.monotonic() - begun_s,
    }


facts = main(**json.loads(sys.argv[1]))
Path("facts.json").write_text(json.dumps(facts))
