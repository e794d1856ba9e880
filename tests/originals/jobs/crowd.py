"""One of several processes that log to an experiment on disk at the same time."""

import json
import os
import sys
import time
from pathlib import Path

os.environ["ML_DASH_BUFFER_ENABLED"] = "0"  # the original writes each row as it comes
import ml_dash
from ml_dash import Experiment


def main(root, prefix, who, rows, crowd):
    gate = Path(root).parent
    with Experiment(prefix=prefix, dash_root=root).run as e:
        (gate / f"{who}.ready").touch()
        while len(list(gate.glob("*.ready"))) < crowd:
            time.sleep(0.01)
        begun_s = time.time()
        for i in range(rows):
            e.metrics("train").log(who=who, i=i)
            e.log(f"{who} {i}")
            time.sleep(0.001)
        ended_s = time.time()
    return {
        "client": ml_dash.__file__,
        "version": getattr(ml_dash, "__version__", "ours"),
        "span": [begun_s, ended_s],
    }


facts = main(**json.loads(sys.argv[1]))
Path("facts.json").write_text(json.dumps(facts))
