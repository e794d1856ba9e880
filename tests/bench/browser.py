"""How long a page of many charts keeps its reader waiting: the longest task of Chromium's main thread."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from playwright.sync_api import Page, sync_playwright

from tests.bench.measure import Figure
from tests.e2e.conftest import ARGUMENTS, CHROMIUM
from tests.e2e.live import LiveServer, live_server, wait_until
from tests.e2e.plain_job import PlainJob

CHARTS, RUNS, POINTS = 50, 20, 10_000
LIVE_RUNS, LIVE_STEPS_PER_S, LIVE_S = 4, 50, 10
PATIENCE_S = 120
FELT_MS = 100  # beyond it people feel that a page does not answer
OBSERVE = """
window.tasks = [];
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) window.tasks.push(duration);
}).observe({ type: "longtask", buffered: true });
"""
DRAWN = "[...document.querySelectorAll('metric-chart')].filter((chart) => chart.plot).length"


def figures() -> list[Figure]:
    with live_server() as server, sync_playwright() as playwright:
        jobs = seed(server)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(OBSERVE)
        runs = "&".join(f"run=run-{number}" for number in range(RUNS))
        page.goto(f"{server.url}/projects/proj?{runs}")
        wait_until(lambda: page.evaluate(DRAWN) >= 6, PATIENCE_S, "the first charts are drawn")
        page.wait_for_timeout(1000)
        made = [figure("load", page)]
        scroll(page)
        made.append(figure("scroll", page))
        page.evaluate("window.scrollTo(0, 0)")
        page.wait_for_timeout(1000)
        take_tasks(page)
        with logging(jobs[:LIVE_RUNS]):
            page.wait_for_timeout(LIVE_S * 1000)
        made.append(figure(f"{LIVE_RUNS} runs × {LIVE_STEPS_PER_S} steps/s", page))
        browser.close()
    return made


def figure(phase: str, page: Page) -> Figure:
    tasks = take_tasks(page)
    name = f"longest task, {CHARTS} charts × {RUNS} runs: {phase}"
    return Figure(name, max(tasks, default=0), "ms", "what is felt", FELT_MS, "≤ 1", len(tasks))


def take_tasks(page: Page) -> list[float]:
    return list(page.evaluate("window.tasks.splice(0)"))


def seed(server: LiveServer) -> list[PlainJob]:
    noise = np.random.default_rng(1)
    names = [f"part-{number // 10}/metric-{number}" for number in range(CHARTS)]
    jobs = [PlainJob(server.url, f"run-{number}") for number in range(RUNS)]
    for job in jobs:
        job.log({name: noise.normal(size=POINTS).cumsum() for name in names})
    return jobs


def scroll(page: Page) -> None:
    """Down the page as a reader does, until every chart has been drawn."""
    for _ in range(40):
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(150)
    wait_until(lambda: page.evaluate(DRAWN) >= CHARTS, PATIENCE_S, "all charts are drawn")


@contextmanager
def logging(jobs: list[PlainJob]) -> Iterator[None]:
    """Rows of all metrics, five a batch, while the block runs."""
    is_over = threading.Event()
    names = [f"part-{number // 10}/metric-{number}" for number in range(CHARTS)]

    def log() -> None:
        step = POINTS
        while not is_over.is_set():
            started = time.monotonic()
            for job in jobs:
                job.log({name: np.sin(np.arange(5) + step) for name in names}, first_step=step)
            step += 5
            is_over.wait(max(0, 5 / LIVE_STEPS_PER_S - (time.monotonic() - started)))

    thread = threading.Thread(target=log)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
