"""A job that times each `log()` of 4 values, or each buffered JSON line: prints nanoseconds.

Usage: python -m tests.bench.job (log|dash|line) FOLDER [SERVER]
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

CALLS, PAUSE_S = 20_000, 0.0001  # at most 5,000 calls a second, as a fast training makes them
ROW = {"train/loss": 0.5, "train/accuracy": 0.25, "optim/lr": 0.01, "optim/norm": 3.0}
Log = Callable[[dict[str, float]], object]


@contextmanager
def aspara_log(folder: Path, server: str) -> Iterator[Log]:
    import aspara

    os.environ["RUNYARD_EXIT_DEADLINE"] = "1"
    os.environ["RUNYARD_INIT_TIMEOUT"] = "1"
    run = aspara.init(project="bench", dir=folder, tracker_uri=server)
    yield run.log
    run.finish(quiet=True)


@contextmanager
def dash_log(folder: Path, server: str) -> Iterator[Log]:
    """Here, or on the server if there is one."""
    from ml_dash import Experiment

    os.environ["RUNYARD_DIR"] = str(folder)
    os.environ["RUNYARD_EXIT_DEADLINE"] = os.environ["RUNYARD_INIT_TIMEOUT"] = "1"
    root = None if server else folder / ".dash"
    with Experiment("bench/bench/dash", dash_url=server, dash_root=root).run as experiment:
        yield lambda row: experiment.metrics("train").log(**row)


@contextmanager
def aspara_files(folder: Path, backend: str) -> Iterator[Log]:
    import aspara

    run = aspara.init(project="bench", dir=str(folder), storage_backend=backend)
    yield run.log
    run.finish(quiet=True)


@contextmanager
def json_line(folder: Path, server: str) -> Iterator[Log]:
    with (folder / "lines.jsonl").open("w") as file:
        yield lambda row: file.write(json.dumps(row) + "\n")


def main() -> None:
    kind, folder, *server = sys.argv[1:]
    ways = {"log": aspara_log, "dash": dash_log, "files": aspara_files, "line": json_line}
    way = ways[kind]
    times = []
    with way(Path(folder), "".join(server)) as log:
        for _ in range(CALLS):
            start = time.perf_counter_ns()
            log(ROW)
            times.append(time.perf_counter_ns() - start)
            time.sleep(PAUSE_S)
    print("times", json.dumps(times))


if __name__ == "__main__":
    main()
