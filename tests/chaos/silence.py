"""A server that is dead or silent while a job begins, in its middle, and at its end."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product

from tests.chaos.findings import Finding
from tests.chaos.points import Tally, read_points, read_statuses
from tests.chaos.proxy import Proxy
from tests.chaos.stage import Stage, job, sync

PROJECT = "silence"
MOMENTS, TROUBLES = ("init", "middle", "finish"), ("dead", "hole")
DEADLINE_S, GRACE_S = 1, 2
TOGETHER = 3  # jobs at a time: their ends are timed
STEPS = 300


def run(stage: Stage) -> Finding:
    rounds = stage.choose(1, 10)
    cases = [
        (f"{trouble}-at-{moment}-{lap}", moment, trouble)
        for lap, moment, trouble in product(range(rounds), MOMENTS, TROUBLES)
    ]
    with ThreadPoolExecutor(TOGETHER) as pool:
        results = list(pool.map(lambda case: _meet(stage, *case), cases))
    return _count(stage, [name for name, _, _ in cases], results)


def _meet(stage: Stage, name: str, moment: str, trouble: str) -> tuple[int, float, int]:
    """The exit code, the seconds from `finish` to the end, and the spools that `sync` left."""
    root = stage.folder / name
    patience = {"RUNYARD_INIT_TIMEOUT": "1", "RUNYARD_EXIT_DEADLINE": str(DEADLINE_S)}
    with Proxy(stage.server.port) as proxy:
        if moment == "init":
            proxy.turn(trouble)
        with job("stages", proxy.url, root, PROJECT, name, **patience) as one:
            for now in ("middle", "finish"):
                one.wait_for_word(now)
                if moment == now:
                    proxy.turn(trouble)
                began = time.monotonic()
                one.go_on()
            code = one.end()
            took_s = time.monotonic() - began
        proxy.turn("open")
        return code, took_s, sync(root)


def _count(stage: Stage, names: list[str], results: list[tuple[int, float, int]]) -> Finding:
    tally, points = Tally(), read_points(stage.server.data_dir, PROJECT)
    statuses = read_statuses(stage.server.data_dir, PROJECT)
    for name in names:
        tally.add(points.get((name, "m0")), 0, STEPS)
    codes, times_s, left = zip(*results, strict=True)
    faults = {
        "jobs with an exception": sum(code != 0 for code in codes),
        "late ends": sum(took_s > DEADLINE_S + GRACE_S for took_s in times_s),
        **tally.faults,
        "wrong statuses": sum(statuses.get(name) != "completed" for name in names),
        "spools left": sum(left),
        "store faults": stage.store_faults(),
    }
    test = "server dead or silent at init, middle, finish (aspara), then sync"
    detail = f"{len(names)} jobs, slowest end {max(times_s):.1f} s of {DEADLINE_S} + {GRACE_S} s"
    return Finding(test, faults, tally.count, "logged points", detail)
