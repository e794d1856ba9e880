"""Pages of a project with 10,000 runs over keep-alive HTTP, beside `/health` on the same server."""

import gzip
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import quote

from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.bench.crowd import METRICS_EACH, RUNS, fill_project
from tests.bench.http import bench_process
from tests.bench.measure import Figure, cpu_seconds, percentile
from tracking.domain.access import local_user

ROUNDS, WARM_UP = 40, 3
PROJECTS = ("crowd", "few")
FILTER = quote("config.lr < 0.01 and loss < 0.5")
CHOSEN = "&".join(f"run=sweep-{number:05}" for number in range(20))
TABLE_MS, QUERY_MS = "≤ 100 ms", "≤ 200 ms"
PAGES = [
    ("run table", "/projects/{}/runs", TABLE_MS),
    ("run table, filtered", f"/projects/{{}}/runs?q={FILTER}", QUERY_MS),
    ("run table, sorted by a metric", "/projects/{}/runs?sort=loss", QUERY_MS),
    ("run table, filtered and sorted", f"/projects/{{}}/runs?q={FILTER}&sort=-accuracy", QUERY_MS),
    ("run table, sorted by a config value", "/projects/{}/runs?sort=config.lr", QUERY_MS),
    ("run table, text searched", "/projects/{}/runs?q=sweep-00", QUERY_MS),
    ("run table, last page", "/projects/{}/runs?page=200", TABLE_MS),
    ("projects", "/", ""),
    ("project page with its charts", "/projects/{}", ""),
    ("project page, filtered", f"/projects/{{}}?q={FILTER}", ""),
    ("compare 20 runs", f"/projects/{{}}/compare?{CHOSEN}", ""),
    ("API: list of runs", "/api/projects/{}/runs", ""),
]


@dataclass(frozen=True, slots=True)
class Visit:
    times_ms: list[float]
    cpu_ms: float
    size_bytes: int


def visit(http: HTTPConnection, pid: int, path: str) -> Visit:
    times = []
    for number in range(WARM_UP + ROUNDS):
        if number == WARM_UP:
            cpu = cpu_seconds(pid)
        start = time.perf_counter()
        http.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = http.getresponse()
        body = answer.read()
        times.append((time.perf_counter() - start) * 1e3)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
    whole = gzip.decompress(body) if answer.headers["Content-Encoding"] == "gzip" else body
    return Visit(times[WARM_UP:], (cpu_seconds(pid) - cpu) / ROUNDS * 1e3, len(whole))


def count_queries(path: str) -> int:
    local_user()  # once for the process, whichever page is first
    with CaptureQueriesContext(connection) as queries:
        Client(HTTP_HOST="localhost").get(path)
    return len(queries)


def compare(name: str, goal: str, pair: tuple[Visit, Visit], floor: Visit) -> list[Figure]:
    many, few = pair
    health = "/health"
    return [
        *(
            Figure(f"{name}, p{share * 100:.0f}", percentile(many.times_ms, share), "ms", health, percentile(floor.times_ms, share), goal, ROUNDS)
            for share in (0.5, 0.95)
        ),
        Figure("  CPU of the server", many.cpu_ms, "ms", health, floor.cpu_ms, "", ROUNDS),
        Figure("  size", many.size_bytes / 1e3, "KB", "20 runs", few.size_bytes / 1e3, "≤ 150 KB" if goal else "", RUNS),
    ]  # fmt: skip


def compare_queries(path: str) -> Figure:
    ours, theirs = (count_queries(path.format(project)) for project in PROJECTS)
    return Figure("  queries", ours, "", "20 runs", theirs, "= 1", RUNS)


def figures() -> list[Figure]:
    call_command("collectstatic", interactive=False, verbosity=0)
    start = time.perf_counter()
    fill_project("few", 20)
    fill_project("crowd", RUNS)
    built = time.perf_counter() - start
    found = []
    with bench_process() as (port, pid):
        http = HTTPConnection("127.0.0.1", port, timeout=60)
        floor = visit(http, pid, "/health")
        for name, path, goal in PAGES:
            many, few = (visit(http, pid, path.format(project)) for project in PROJECTS)
            found += [*compare(name, goal, (many, few), floor), compare_queries(path)]
        http.close()
    rows = RUNS * METRICS_EACH
    return [
        Figure(f"{rows:,} metric rows are there after", built, "s", "goal", 60, "≤ 1", rows),
        *found,
    ]
