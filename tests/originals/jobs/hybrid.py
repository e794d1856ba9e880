"""Logs to the disk and to the server."""

import json
import sys
import time
from pathlib import Path

import ml_dash
from ml_dash import Experiment

ROWS = 50


def main(root, url, prefix):
    with Experiment(prefix=prefix, readme="# Both", dash_url=url, dash_root=root).run as e:
        e.params.set(lr=0.1)
        for i in range(ROWS):
            e.metrics("train").log(loss=i)
            e.metrics.log(epoch=i, eval={"acc": i})
            e.log(f"line {i}", i=i)
            e.tracks("robot/pose").append(_ts=1.0 + i, position={"x": i})
        Path("model.txt").write_text("model")
        e.files("models").upload("model.txt", tags=["best"])
        e.flush()
        time.sleep(1)  # its upload may be in another thread
    return {"client": ml_dash.__file__, "version": ml_dash.__version__}


facts = main(**json.loads(sys.argv[1]))
Path("facts.json").write_text(json.dumps(facts))
