"""Somebody who looks at the charts of a page."""

from typing import Any

import numpy as np
from playwright.sync_api import Page

from tests.e2e.live import LiveServer, wait_until
from tests.e2e.plain_job import PlainJob

PATIENCE_MS = 30_000
# What the chart of a metric draws: the x of all points, their greatest value, the axes.
DRAWN = """(metric) => {
  const { plot } = document.querySelector(`metric-chart[data-metric="${metric}"]`);
  if (!plot) return { xs: [], columns: [] };
  const { x, y } = plot.scales;
  return {
    xs: [...plot.data[0]],
    columns: plot.data.slice(1).map((column) => [...column].map((value) => value ?? null)),
    kinds: plot.tracks.map(({ kind }) => kind),
    names: plot.tracks.map(({ line }) => line.name),
    x: [x.min, x.max],
    y: [y.min, y.max],
    isLog: y.distr === 3,
  };
}"""


def log_several_runs(server: LiveServer) -> None:
    """Three runs in two groups of `config.lr`, 50 points of two metrics each."""
    for number, lr in enumerate([0.1, 0.1, 0.5]):
        job = PlainJob(server.url, f"run-{number}", project="several", config={"lr": lr})
        loss = np.linspace(3 + number, 1, 50)
        job.log({"loss": loss, "accuracy": 1 - loss / 10})


class Reader:
    """A page, and what it asked for and complained about."""

    def __init__(self, page: Page, server: LiveServer) -> None:
        self.page = page
        self.server = server
        self.addresses: list[str] = []
        self.errors: list[str] = []
        self.loads = 0
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", lambda request: self.addresses.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("load", lambda _: setattr(self, "loads", self.loads + 1))

    def open(self, path: str) -> None:
        self.page.goto(f"{self.server.url}{path}")

    def drawn(self, metric: str) -> dict[str, Any]:
        return dict(self.page.evaluate(DRAWN, metric))

    def wait_until_drawn(self, metric: str, condition: Any, what: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            drawn = self.drawn(metric)
            return drawn if drawn["xs"] and condition(drawn) else None

        return dict(wait_until(look, PATIENCE_MS / 1000, what))

    def wait_for_points(self, metric: str, count: int = 1) -> dict[str, Any]:
        return self.wait_until_drawn(metric, lambda d: len(d["xs"]) >= count, f"{count} points")

    def drag(self, metric: str, start: float, end: float) -> None:
        """From one place of the plot to another, as shares of its width."""
        plot = self.page.locator(f'metric-chart[data-metric="{metric}"] .u-over')
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        assert box
        y = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + box["width"] * start, y)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + box["width"] * end, y, steps=4)
        self.page.mouse.up()

    def swatches(self) -> list[str]:
        """The colours of the run list, from above."""
        return list(
            self.page.locator("#run-list .swatch").evaluate_all(
                "all => all.map((one) => getComputedStyle(one).borderTopColor)"
            )
        )

    def group_colors(self, names: list[str]) -> list[str]:
        entry = '#group-legend [data-group="{}"] .line-sample'
        color = "one => getComputedStyle(one).backgroundColor"
        return [self.page.locator(entry.format(name)).evaluate(color) for name in names]

    def note(self, metric: str) -> str:
        return self.page.locator(f'metric-chart[data-metric="{metric}"] .chart-note').inner_text()

    def asked_metrics(self) -> list[str]:
        return [url for url in self.addresses if "/runs/metrics?" in url]
