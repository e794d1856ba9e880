"""Timing, percentiles and the table that all benchmarks print."""

import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure beside the floor or rival of the same run.

    `ratio` is ours / floor; `goal` says what it should be, e.g. "≥ 0.12".
    """

    name: str
    ours: float
    unit: str
    floor_name: str
    floor: float
    goal: str
    n: int

    @property
    def ratio(self) -> float:
        return self.ours / self.floor if self.floor else float("nan")


def best_of(rounds: int, work: Callable[[], Any]) -> float:
    """Seconds of the fastest round: on a shared machine the others measure the neighbours."""
    times = []
    for _ in range(rounds):
        gc.collect()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def percentile(times: list[float], share: float) -> float:
    return statistics.quantiles(times, n=1000, method="inclusive")[round(share * 1000) - 1]


def cpu_seconds(pid: int) -> float:
    """What a process has used so far; neighbours on the machine do not count, as they do in time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int, what: str) -> float:
    """`what`: VmRSS, now, or VmHWM, the most it has been."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))


def show(figures: list[Figure], *, as_json: bool) -> None:
    if as_json:
        json.dump([asdict(one) | {"ratio": one.ratio} for one in figures], sys.stdout, indent=1)
        return
    print(f"{'figure':52} {'ours':>12} {'floor':>12} {'ratio':>8}  {'goal':8} unit; floor; N")
    for one in figures:
        print(
            f"{one.name:52} {one.ours:12,.1f} {one.floor:12,.1f} {one.ratio:8.3f}  {one.goal:8}"
            f" {one.unit}; {one.floor_name}; {one.n:,}"
        )
