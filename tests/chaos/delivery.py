"""Logged points over kill -9 of jobs and servers, with replies dropped after the commit."""

from tests.chaos.findings import Finding
from tests.chaos.job import LIFE_METRICS
from tests.chaos.points import Tally, count_gaps, read_points
from tests.chaos.proxy import Proxy
from tests.chaos.stage import Job, Stage, job, sync

PROJECT, RUN = "delivery", "many-lives"
DROPPED_SHARE = 0.2
LEAST_STEPS, MOST_STEPS = 1_000, 1_600  # in a life
ORDERS = [  # of what happens in a life, at two of its steps and after it
    ("kill server", "kill job", "start server"),
    ("kill job", "kill server", "start server"),
    ("kill server", "start server", "kill job"),
]


def run(stage: Stage) -> Finding:
    lives, root = stage.choose(3, 50), stage.folder / "delivery"
    told = []
    with Proxy(
        stage.server.port, drops_reply=lambda path: stage.random.random() < DROPPED_SHARE
    ) as proxy:
        for number in range(lives):
            with job("life", proxy.url, root, PROJECT, number, RUNYARD_INIT_TIMEOUT="1") as one:
                told.append(_live(stage, one))
        left = sync(root)
        dropped = proxy.dropped_count
    return _count(stage, told, left, f"{lives} + {lives} kills, {dropped} replies dropped")


def _live(stage: Stage, one: Job) -> int:
    """One life. Returns the last step that it has told of."""
    end = stage.random.randint(LEAST_STEPS, MOST_STEPS)
    middle = stage.random.randint(0, end)
    first, second, third = stage.random.choice(ORDERS)
    one.wait_for_step(middle if first == "kill server" else end)
    for act in (first, second, third):
        if act == "kill server":
            stage.server.kill()
        elif act == "start server":
            stage.server.start()
        else:
            one.wait_for_step(end)
            one.kill()
    return one.told


def _count(stage: Stage, told: list[int], left: int, detail: str) -> Finding:
    tally, points = Tally(), read_points(stage.server.data_dir, PROJECT)
    for number, last_step in enumerate(told):
        metrics = range(number * LIFE_METRICS, (number + 1) * LIFE_METRICS)
        found = [points.get((RUN, f"m{metric}")) for metric in metrics]
        # The step it was killed in may have been logged, and not told of: with all its metrics.
        is_beyond = all(one is not None and last_step + 1 in one.steps for one in found)
        for metric, columns in zip(metrics, found, strict=True):
            tally.add(columns, metric, last_step + 1 + is_beyond)
    faults = {
        **tally.faults,
        "gaps": count_gaps(stage.server.data_dir, PROJECT),
        "spools left": left,
        "store faults": stage.store_faults(),
    }
    test = "logged points over kill -9 of jobs and servers, 20 % of replies dropped, then sync"
    return Finding(test, faults, tally.count, "logged points", detail)
