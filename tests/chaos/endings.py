"""All the ways in which a process may end."""

import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.chaos.findings import Finding
from tests.chaos.points import Tally, read_points, read_statuses
from tests.chaos.proxy import Proxy
from tests.chaos.stage import Job, Stage, job, sync

PROJECT = "endings"
STEPS = 100  # of each metric
PATIENCE: dict[str, Any] = {"RUNYARD_EXIT_DEADLINE": "5", "limit_s": 30}  # beyond that it hangs
TOGETHER = 2
NO_MATTER = None


@dataclass(frozen=True, slots=True)
class Ending:
    """`signals` are sent after the job's last step, with random pauses in between."""

    name: str
    scenario: str
    status: str
    exit_code: int | None
    metric_count: int = 1
    signals: Sequence[signal.Signals] = ()
    is_silent: bool = False  # the server, when the signals come

    def play(self, stage: Stage, name: str) -> tuple[bool, int | None, int]:
        """Whether it hung, the exit code, and the spools left."""
        root = stage.folder / name
        with (
            Proxy(stage.server.port) as proxy,
            job(self.scenario, proxy.url, root, PROJECT, name, **PATIENCE) as one,
        ):
            if self.is_silent:
                one.wait_for_word("logged")
                proxy.turn("hole")
            self._send_signals(stage, one)
            code = one.end()
            proxy.turn("open")
            return one.is_hung, code, sync(root)

    def _send_signals(self, stage: Stage, one: Job) -> None:
        if self.signals and not self.is_silent:
            one.wait_for_word("logged")
        for number in self.signals:
            one.process.send_signal(number)
            stage.pause(0, 0.1)  # an end takes about as long


INTERRUPTS = (signal.SIGINT, signal.SIGINT)
ENDINGS = [
    Ending("return", "returns", "completed", 0),
    Ending("fork", "forks", "completed", 0, metric_count=4),
    Ending("workers", "workers", "completed", 0, metric_count=4),
    Ending("abandoned-workers", "abandons", "completed", 0, metric_count=4),
    Ending("spawn", "spawns", "completed", 0, metric_count=3),
    Ending("os-exit", "leaves", "running", 3),
    Ending("sigterm", "waits", "cancelled", -15, signals=(signal.SIGTERM,)),
    Ending("sigint-twice", "waits", "cancelled", NO_MATTER, signals=INTERRUPTS),
    Ending("sigint-twice-silent", "waits", "cancelled", NO_MATTER, 1, INTERRUPTS, is_silent=True),
    Ending("excepthook", "raises", "failed", 1),
]


def run(stage: Stage) -> Finding:
    laps = stage.choose(1, 10)
    cases = [(f"{one.name}-{lap}", one) for lap in range(laps) for one in ENDINGS]
    with ThreadPoolExecutor(TOGETHER) as pool:
        results = list(pool.map(lambda case: case[1].play(stage, case[0]), cases))
    tally, points = Tally(), read_points(stage.server.data_dir, PROJECT)
    statuses = read_statuses(stage.server.data_dir, PROJECT)
    wrong = []
    for (name, ending), (_, code, _) in zip(cases, results, strict=True):
        for metric in range(ending.metric_count):
            tally.add(points.get((name, f"m{metric}")), metric, STEPS)
        if ending.exit_code not in (code, NO_MATTER) or statuses.get(name) != ending.status:
            wrong.append(f"{name}: {statuses.get(name)}, exit code {code}")
    faults = {
        "hangs": sum(is_hung for is_hung, _, _ in results),
        "wrong ends": len(wrong),
        **tally.faults,
        "spools left": sum(left for _, _, left in results),
        "store faults": stage.store_faults(),
    }
    test = "fork, workers, spawn, os._exit, SIGTERM, SIGINT × 2, excepthook"
    detail = "; ".join([f"{len(cases)} jobs", *wrong])
    return Finding(test, faults, tally.count, "logged points", detail)
