"""What is left of a run's points after its days, and that all else stays true."""

from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import log_lines, log_points, log_rows, make_run
from tracking.domain import retention
from tracking.domain.checks import check_store
from tracking.domain.retention import (
    KEPT_POINTS,
    PINNED,
    Freed,
    apply_all,
    apply_retention,
    preview_retention,
    set_retention,
    thin_stretches,
)
from tracking.domain.rows import count_rows, read_rows
from tracking.domain.runs import finish_run, reopen_run, update_run
from tracking.domain.series import Window, read_news, read_series
from tracking.enums import RunStatus
from tracking.errors import InvalidInput
from tracking.models import Metric, MetricPoint, Project, Run
from tracking.points import Columns, Stretch, encode_raw

pytestmark = pytest.mark.django_db(transaction=True)
FIELDS = ("count", "finite_count", "min", "max", "sum", "last", "last_step")
LONG = 5_000


def make_ended_run(key: str = "run-1", *, days: int = 10, points: int = LONG, **fields) -> Run:
    run = make_run(key, **fields)
    values = np.sin(np.arange(points)) * np.arange(points)
    values[points // 3] = 1e9
    log_points(run, {"loss": values, "short": [1.0, 2.0]})
    log_lines(run, "hello")
    end_run(run, days=days)
    return run


def end_run(run: Run, *, days: int) -> None:
    finish_run(run, status=RunStatus.COMPLETED)
    Run.objects.filter(pk=run.pk).update(ended_at=timezone.now() - timedelta(days=days))


def rule(full: int | None, thinned: int | None = None) -> Project:
    project = Project.objects.get(key="proj")
    set_retention(project, keep_full_days=full, keep_thinned_days=thinned)
    return project


def stored(run: Run, name: str = "loss") -> int:
    rows = MetricPoint.objects.filter(run=run, metric__name=name)
    return sum(rows.values_list("count", flat=True))


def summary(run: Run) -> dict[str, object]:
    return Metric.objects.filter(run=run, name="loss").values(*FIELDS).get()


def faults() -> list[str]:
    return [fault.what for fault in check_store()]


def test_thinned_series_keeps_its_summary_and_its_extremes():
    run = make_ended_run()
    before = summary(run)

    freed = apply_retention(rule(7))

    assert (freed.thinned_count, freed.summary_count) == (1, 0)
    assert freed.freed_bytes > 20_000
    assert stored(run) <= KEPT_POINTS
    assert stored(run, "short") == 2
    assert summary(run) == before
    run.refresh_from_db()
    assert (run.resolution, run.metadata["thinned_on"]) == (
        "thinned",
        timezone.now().date().isoformat(),
    )
    [series, _] = read_series([run], Window(raw=True))
    assert (series.columns.steps[0], series.columns.steps[-1]) == (0, LONG - 1)
    assert series.columns.values.max() == before["max"] == 1e9
    assert series.columns.values.min() == before["min"]
    assert faults() == []


def test_doing_it_again_changes_nothing():
    run = make_ended_run()
    project = rule(7)
    apply_retention(project)
    kept = list(MetricPoint.objects.filter(run=run).values_list("pk", flat=True))

    assert apply_retention(project) == apply_all() == Freed()
    assert list(MetricPoint.objects.filter(run=run).values_list("pk", flat=True)) == kept


def test_preview_tells_what_will_go_and_takes_nothing():
    make_ended_run()
    project = rule(7)

    told = preview_retention(project)

    assert stored(Run.objects.get()) == LONG
    freed = apply_retention(project)
    assert (told.thinned_count, told.summary_count) == (1, 0)
    assert told.freed_bytes == pytest.approx(freed.freed_bytes, rel=0.5)
    assert preview_retention(project) == Freed()


@pytest.mark.parametrize("reason", ["young", "running", "pinned", "no rule", "in the trash"])
def test_points_stay(reason):
    run = make_ended_run(days=1 if reason == "young" else 10)
    if reason == "running":
        reopen_run(run)
    if reason == "pinned":
        update_run(run, tags=["x", PINNED], is_alive=False)
    project = rule(None if reason == "no rule" else 7)
    if reason == "in the trash":
        Run.objects.update(deleted_at=timezone.now())

    assert apply_retention(project) == Freed()
    assert stored(run) == LONG


def test_only_summaries_are_left_after_the_last_days():
    run = make_ended_run(days=10)
    log_rows(run, *({"a": n, "text": "x" * 300_000} for n in range(8)))
    end_run(run, days=10)
    before = summary(run)
    project = rule(7, 2)
    told = preview_retention(project)

    freed = apply_retention(project)

    assert (freed.thinned_count, freed.summary_count) == (0, 1)
    assert told == freed
    assert MetricPoint.objects.count() == 0
    assert summary(run) == before
    assert run.log_lines.count() == 1
    assert count_rows(run, "train") == 8
    assert run.row_blocks.count() == 1
    assert read_rows(run, "train", limit=1) == []
    assert faults() == []
    assert apply_retention(project) == Freed()


def test_thinned_run_that_goes_on_appends_and_is_thinned_again():
    run = make_ended_run()
    project = rule(7)
    apply_retention(project)
    revision = Run.objects.get().revision
    run.refresh_from_db()
    reopen_run(run)

    log_points(run, {"loss": np.zeros(2_000)}, first_step=LONG)

    [(name, news)] = read_news(run.pk, revision).stretches
    assert (name, len(news)) == ("loss", 2_000)
    last = MetricPoint.objects.filter(run=run, metric__name="loss").order_by("-ordinal")[0]
    assert (last.ordinal, summary(run)["count"]) == (LONG, LONG + 2_000)
    assert faults() == []
    end_run(run, days=10)
    assert apply_retention(project).thinned_count == 1
    assert stored(run) <= KEPT_POINTS
    assert faults() == []


def test_run_without_points_that_goes_on_appends():
    run = make_ended_run()
    project = rule(0, 0)
    apply_retention(project)
    run.refresh_from_db()
    reopen_run(run)

    log_points(run, {"loss": [5.0]}, first_step=LONG)

    assert MetricPoint.objects.get().ordinal == LONG
    assert faults() == []


def test_missing_extremes_are_a_fault():
    run = make_ended_run()
    apply_retention(rule(7))
    Metric.objects.filter(run=run, name="loss").update(max=2e9)

    assert faults() == ["thinned points lack what the summary has: max"]


def test_series_in_no_order_keeps_its_last_value(monkeypatch):
    monkeypatch.setattr("tracking.domain.retention.PART_POINTS", 3_000)
    steps = np.random.default_rng(1).permutation(20_000)
    values = np.where(steps == 7, np.nan, steps.astype(float))
    whole = Columns(steps, values, steps)
    parts = [whole[start : start + 1_000] for start in range(0, 20_000, 1_000)]

    kept = thin_stretches([Stretch(1_000, encode_raw(part)) for part in parts])

    assert len(kept) <= KEPT_POINTS
    assert {0, 19_999} <= set(kept.steps.tolist())
    assert np.isnan(kept.values).sum() == 1
    assert (kept.steps[0], kept.steps[-1]) == (steps[0], steps[-1])


@pytest.mark.parametrize(("full", "thinned"), [(-1, None), (40_000, None), (None, 3), (1, -1)])
def test_rules_that_make_no_sense_are_refused(full, thinned):
    make_run()

    with pytest.raises(InvalidInput):
        rule(full, thinned)


def test_command_tells_first_and_does_then(capsys):
    make_ended_run()
    rule(7)

    call_command("retain", dry_run=True)
    told = capsys.readouterr().out
    call_command("retain", project="proj")
    done = capsys.readouterr().out

    assert told.startswith("proj: 1 runs thinned, 0 left with summaries; ")
    assert told.splitlines()[-1].endswith("would be freed")
    assert done.splitlines()[0].endswith(" freed")
    assert preview_retention(Project.objects.get()) == Freed()


def test_command_for_a_project_that_is_not_there_says_so():
    with pytest.raises(CommandError, match=r"^There is no project 'nope'\.$"):
        call_command("retain", project="nope")


def change_at_the_last_moment(monkeypatch, change) -> None:
    """Between the look at what is due and the first point that goes."""

    def list_due(project, now, look=retention.due_for_thinning):
        found = list(look(project, now).values_list("pk", flat=True))
        change()
        return Run.objects.filter(pk__in=found)

    monkeypatch.setattr(retention, "due_for_thinning", list_due)


def pin(run: Run) -> None:
    update_run(run, tags=[PINNED])


def go_on_and_end(run: Run) -> None:
    reopen_run(run)
    log_points(run, {"loss": [1.0]}, first_step=LONG)
    finish_run(run, status=RunStatus.COMPLETED)


def keep_for_ever(run: Run) -> None:
    rule(None)


@pytest.mark.parametrize("change", [reopen_run, pin, go_on_and_end, keep_for_ever])
def test_run_that_is_not_due_any_more_at_that_moment_keeps_all(monkeypatch, change):
    run = make_ended_run()
    project = rule(7)
    change_at_the_last_moment(monkeypatch, lambda: change(run))

    assert apply_retention(project) == Freed()

    assert stored(run) >= LONG
    assert Run.objects.get().resolution == "full"


@pytest.mark.parametrize(("thinned_days", "resolution"), [(None, "thinned"), (0, "summary")])
def test_points_go_series_by_series_in_short_transactions(monkeypatch, thinned_days, resolution):
    monkeypatch.setattr(retention, "COST_AT_ONCE", 1)
    run = make_ended_run()
    log_points(run, {"acc": np.arange(float(LONG))})
    project = rule(7, thinned_days)

    with CaptureQueriesContext(connection) as queries:
        freed = apply_retention(project)

    pieces = [
        one["sql"] for one in queries if one["sql"].startswith('DELETE FROM "tracking_metricp')
    ]
    assert len(pieces) == (2 if resolution == "thinned" else 3)
    assert freed.thinned_count + freed.summary_count == 1
    assert Run.objects.get().resolution == resolution
    assert faults() == []


@pytest.mark.parametrize("days", [-1, 36_501, 10**12])
def test_days_beyond_reason_are_refused(days):
    make_run()

    with pytest.raises(InvalidInput):
        rule(days)
    with pytest.raises(InvalidInput):
        rule(1, days)
