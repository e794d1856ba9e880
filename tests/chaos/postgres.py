"""kill -9 of PostgreSQL under load. The server is never restarted."""

from contextlib import ExitStack

from tests.chaos.findings import Finding
from tests.chaos.ingest import PROJECT, SENDERS, Sender, count_acknowledged, end, wait_for_batch
from tests.chaos.job import LIFE_METRICS
from tests.chaos.points import Tally, count_gaps, read_points
from tests.chaos.stage import LIMIT_S, Job, Stage, job, sync
from tests.chaos.visitors import tell, visiting, wait_for_all
from tests.e2e.live import wait_until
from tests.services.postgres import database, postgres

PAUSE_S = 0.1  # of each sender between batches
RECOVERY_S = 10.0
OUTAGES_S = ((0.1, 2), (6, 8))  # longer and shorter than a request waits for a connection
JOBS = "jobs"


def run(stage: Stage) -> Finding:
    kills, root = stage.choose(2, 20), stage.folder / "jobs"
    with ExitStack() as stack:
        base = stack.enter_context(postgres())
        url = stack.enter_context(database(base, "chaos"))
        stage = stack.enter_context(stage.serving(DATABASE_URL=url))
        senders = [Sender(number, stage.server.port, PAUSE_S) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        wait_until(lambda: all(one.acked_rows for one in senders), LIMIT_S, "all have begun")
        one = stack.enter_context(job("life", stage.server.url, root, JOBS, 0, limit_s=3600))
        one.wait_for_step(1)
        with visiting(stage.server.port, PROJECT, "sender-0", count=6) as visitors:
            times_s = []
            for _ in range(kills):
                stage.pause(0.3, 1.5)
                wait_for_batch(senders)
                stage.pause(0, 0.005)
                base.kill()
                stage.pause(*stage.random.choice(OUTAGES_S))
                base.start_again()
                times_s.append(wait_for_all(senders, visitors[0]))
        end(senders)
        one.kill()
        told = {"spools left": sync(root), "late recoveries": sum(s > RECOVERY_S for s in times_s)}
        told["wrong answers"], said = tell(visitors)
        detail = f"{kills} kills, slowest recovery {max(times_s):.1f} s; {said}"
        return _count(stage, senders, _count_logged(stage, one), told, detail)


def _count(
    stage: Stage, senders: list[Sender], logged: Tally, told: dict[str, int], detail: str
) -> Finding:
    tally, faults = count_acknowledged(stage, senders)
    refused = sum(sender.refused for sender in senders)
    return Finding(
        "acknowledged points over kill -9 of PostgreSQL",
        {
            **faults,
            **{f"{name} of the job": count for name, count in logged.faults.items()},
            "gaps": count_gaps(stage.store, JOBS),
            **told,
        },
        tally.count + logged.count,
        "acknowledged or logged points",
        f"{detail}; {refused} batches were told to come again"
        + "".join(f"; {one.error}" for one in senders if one.error),
    )


def _count_logged(stage: Stage, one: Job) -> Tally:
    tally, points = Tally(), read_points(stage.store, JOBS)
    found = [points.get(("many-lives", f"m{metric}")) for metric in range(LIFE_METRICS)]
    # The step it was killed in may have been logged, and not told of: with all its metrics.
    is_beyond = all(columns is not None and one.told + 1 in columns.steps for columns in found)
    for metric, columns in enumerate(found):
        tally.add(columns, metric, one.told + 1 + is_beyond)
    return tally
