"""Curves and decoded samples of points."""

import math
import re

import numpy as np
import pytest

from tests.factories import log_points, make_run
from tests.tracking.admin.conftest import admin_path
from tracking.admin import curves, metrics
from tracking.admin.curves import draw_curve, trace
from tracking.domain.packing import fold_run
from tracking.models import Metric, MetricPoint, Run
from tracking.points import Columns

NAN, INF = math.nan, math.inf


def columns(values: list[float], steps: list[int] | None = None) -> Columns:
    count = len(values)
    return Columns(
        np.array(steps if steps is not None else range(count), np.int64),
        np.array(values, np.float64),
        np.zeros(count, np.int64),
    )


@pytest.mark.parametrize(
    ("values", "lines", "dots"),
    [
        ([0.0, 1.0], "M2 22L118 2", ""),
        ([1.0, 0.0, 1.0], "M2 2L60 22L118 2", ""),
        ([5.0, 5.0], "M2 12L118 12", ""),
        ([3.0], "", "M60 12h0"),
        ([0.0, 1.0, NAN, 0.0, 1.0], "M2 22L31 2M89 22L118 2", ""),
        ([0.0, INF, 1.0], "", "M2 22h0M118 2h0"),
        ([NAN, -INF], "", ""),
        ([-1.7e308, 1.7e308], "M2 22L118 2", ""),
        ([0.0, 5e-324], "M2 12L118 12", ""),
    ],
)
def test_trace(values, lines, dots):
    assert trace(columns(values), 120, 24) == (lines, dots)


def test_trace_goes_by_step():
    assert trace(columns([0.0, 0.0, 1.0], [-10, 0, 90]), 120, 24)[0] == "M2 22L13.6 22L118 2"
    far = trace(columns([0.0, 1.0], [-(2**63), 2**63 - 1]), 120, 24)
    assert far == ("M2 22L118 2", "")


def test_steps_in_any_order_are_drawn_in_order():
    drawn = draw_curve(columns([1.0, 0.0, 1.0, 0.5], [2, 1, 0, 2]))

    assert 'd="M2 2L60 22L118 12"' in drawn


def test_long_curve_keeps_its_spike():
    values = [0.0] * 50_000
    values[31_234] = 1.0

    drawn = draw_curve(columns(values))

    assert re.search(r"L74\.\d 2L", drawn)
    assert len(drawn) < 6_000


@pytest.mark.django_db
def test_metric_page_shows_summary_and_curve(client):
    log_points(make_run(), {"loss": [4.0, NAN, 0.123456789]})
    metric = Metric.objects.get()

    page = client.get(admin_path("metric", "change", metric.pk)).content.decode()

    assert '<span title="0.123456789">0.1235</span>' in page  # last and min
    assert '<span title="4.0">4</span>' in page
    assert '<span title="2.0617283945">2.062</span>' in page  # mean
    assert page.count('<svg class="curve"') == 1
    assert "3 points" in page
    assert f'<a href="{admin_path("metricpoint")}?metric={metric.pk}">1 stretch</a>' in page


@pytest.mark.django_db
def test_metric_list_shows_figures_and_curves(client, monkeypatch):
    monkeypatch.setattr(curves, "LIST_POINTS", 3)
    log_points(make_run(), {"short": [0.0, 1.0], "long": [0.0, 1.0, 2.0, 7.125]})

    page = client.get(admin_path("metric")).content.decode()

    assert page.count('<svg class="curve"') == 1
    assert '<span title="7.125">7.125</span>' in page


@pytest.mark.django_db
def test_of_a_very_long_metric_the_newest_points_are_drawn(client, monkeypatch):
    monkeypatch.setattr(metrics, "DRAWN_POINTS", 4)
    run = make_run()
    for start in (0, 3, 6):
        log_points(run, {"loss": [1.0, 2.0, 3.0]}, first_step=start)

    page = client.get(admin_path("metric", "change", Metric.objects.get().pk)).content.decode()

    assert "the newest 6 of 9 points" in page
    assert "step 3" in page


@pytest.mark.django_db
@pytest.mark.parametrize("is_packed", [False, True])
def test_stretch_is_decoded_to_look_at(client, is_packed):
    run = make_run()
    for start in (0, 6):
        log_points(run, {"loss": [0.5, NAN, INF, 3.0, 4.0, 5.0]}, first_step=start)
    if is_packed:
        run.refresh_from_db()
        fold_run(run, upto=run.revision)
    stretch = MetricPoint.objects.order_by("ordinal")[0]

    page = client.get(admin_path("metricpoint", "change", stretch.pk)).content.decode()

    assert "packed, " in page if is_packed else "raw, 145" in page
    assert "<td>0</td><td>0.5</td><td>2026-01-01 12:00:00.000000</td>" in page
    assert "<td>1</td><td>nan</td><td>2026-01-01 12:00:01.000000</td>" in page
    assert page.count("<td>2026-01-01") == (10 if is_packed else 6)
    assert ("2 more" in page) is is_packed
    assert '<svg class="curve"' in page
    assert "id_data" not in page


@pytest.mark.django_db
def test_list_of_stretches_shows_their_first_values(client):
    log_points(make_run(), {"loss": [0.25, NAN, 3.0, 4.0]})

    page = client.get(admin_path("metricpoint")).content.decode()

    shown = re.search(r'class="field-sample">(.*?)</td>', page, re.DOTALL).group(1)
    assert re.sub(r"<.*?>", "", shown).strip() == "0.25, NaN, 3, …"


@pytest.mark.django_db
def test_points_that_cannot_be_read_do_not_take_the_pages_down(client):
    run = make_run()
    log_points(run, {"loss": [1.0, 2.0]})
    MetricPoint.objects.update(data=b"\x07broken")
    metric, stretch = Metric.objects.get(), MetricPoint.objects.get()

    pages = [
        client.get(path)
        for path in (
            admin_path("metric"),
            admin_path("metric", "change", metric.pk),
            admin_path("metricpoint"),
            admin_path("metricpoint", "change", stretch.pk),
            admin_path("run", "change", run.pk),
        )
    ]

    assert {page.status_code for page in pages} == {200}
    assert "cannot be read: Unknown kind of point data: 7." in pages[1].content.decode()
    assert "cannot be read" in pages[3].content.decode()


@pytest.mark.django_db
def test_metric_without_points_has_a_page(client):
    metric = Metric.objects.create(run=make_run(), name="empty")

    page = client.get(admin_path("metric", "change", metric.pk))

    assert "No points." in page.content.decode()
    assert Run.objects.count() == 1
