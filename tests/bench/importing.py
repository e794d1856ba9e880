"""`runyard import` of a million rows, beside reading the same file and parsing its lines.

Other trackers' files are in `foreign`.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.bench import foreign
from tests.bench.http import bench_server
from tests.bench.measure import Figure, best_of, memory_mb

ROWS = 1_000_000


def write_rows(root: Path) -> Path:
    """As ML-Dash's original client leaves them: four values in a row, 150 bytes."""
    home = root / "bench" / "import" / "big"
    (home / "metrics" / "train").mkdir(parents=True)
    about = {"name": "big", "project": "import", "prefix": "bench/import/big"}
    (home / "experiment.json").write_text(json.dumps(about))
    path = home / "metrics" / "train" / "data.jsonl"
    with path.open("w") as file:
        for n in range(ROWS):
            seconds = n // 100
            file.write(
                f'{{"index":{n},"data":{{"loss":{1 / (n + 1)!r},"acc":{n * 1e-6!r},"step":{n},'
                f'"_ts":{1_767_225_600 + n / 100!r}}},"createdAt":"2026-01-01T'
                f'{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.000000Z"}}\n'
            )
    return path


def parse(path: Path) -> None:
    with path.open("rb") as file:
        for line in file:
            json.loads(line)


def bring(root: Path, url: str) -> tuple[float, float]:
    """Seconds, and the most memory it had in MB."""
    began, memory = time.perf_counter(), 0.0
    command = [sys.executable, "-m", "runyard", "import", str(root), "--url", url]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            with suppress(StopIteration, FileNotFoundError):  # it ends just now
                memory = memory_mb(process.pid, "VmHWM")
            time.sleep(0.05)
    assert process.returncode == 0
    return time.perf_counter() - began, memory


def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        path = write_rows(Path(folder))
        floor = ROWS / best_of(1, lambda: parse(path))
        size_mb = path.stat().st_size / 1e6
        with bench_server() as port:
            url = f"http://127.0.0.1:{port}"
            first, memory = bring(path.parents[2], url)
            again, _ = bring(path.parents[2], url)
            others = foreign.figures(Path(folder), partial(bring, url=url))
    lines = "json.loads of each line"
    return [
        Figure("import of an ML-Dash stream", ROWS / first, "rows/s", lines, floor, "≥ 0.1", ROWS),
        Figure("the same import again", ROWS / again, "rows/s", lines, floor, "≥ 0.5", ROWS),
        Figure("memory of an import", memory, "MB", "size of the file", size_mb, "≤ 0.5", ROWS),
        *others,
    ]
