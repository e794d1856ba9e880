"""Reading back in Python, against a real server."""

import math
import subprocess
import sys
from datetime import UTC
from pathlib import Path

import pytest
import runyard
from runyard import api as api_module
from runyard.api import Api
from runyard.errors import NoServer

from tests.e2e.live import LiveServer
from tests.sdk.jobs import SDK, run_job

pytestmark = pytest.mark.e2e
COUNTS = {"r0": 3, "r1": 6, "r2": 9}


def losses(count: int) -> list[float]:
    return [math.nan if step == 1 else float(step) for step in range(count)]


def same(found: list[float], wanted: list[float]) -> bool:
    return [str(value) for value in found] == [str(value) for value in wanted]


def test_projects_and_runs_are_found(api: Api, project: str) -> None:
    runs = api.runs(project)

    assert project in [one["name"] for one in api.projects()]
    assert [run.name for run in runs] == ["r2", "r1", "r0"]
    assert [run.name for run in runs[1:]] == ["r1", "r0"]
    assert repr(runs[1:]) == f"<2 runs of {project}>"
    assert repr(runs[0]) == f"RunRecord(project='{project}', name='r2')"
    assert [run.name for run in api.runs(project, "loss > 2", sort="-loss")] == ["r2", "r1"]


def test_run_says_what_was_logged(api: Api, project: str) -> None:
    run = api.run(project, "r2")

    assert run.config == {"lr": 0.2, "model": {"depth": 2}, "large": str(2**70)}
    assert run.metrics == {"acc/top": 0.8, "loss": 8.0}
    assert (run.tags, run.notes, run.status) == (
        ["a", "b\x1b[31m"],
        "first line\nsecond",
        "failed",
    )
    assert api.run(project, "r1").summary == {"best": math.inf}


def test_series_of_many_runs_come_at_once_and_whole(api: Api, project: str) -> None:
    series = api.runs(project).series()

    assert {metric: set(by_run) for metric, by_run in series.items()} == {
        "acc/top": set(COUNTS),
        "loss": set(COUNTS),
    }
    for run, count in COUNTS.items():
        found = series["loss"][run]
        assert found.steps == list(range(count))
        assert same(found.values, losses(count))
        assert found.times_ms == sorted(found.times_ms)


def test_series_of_one_run_and_thinner_ones(api: Api, project: str) -> None:
    run = api.run(project, "r2")

    assert list(run.series("acc/top")) == ["acc/top"]
    assert run.series("acc/top")["acc/top"].values == [step / 10 for step in range(9)]
    assert run.series("acc/top", max_points=10)["acc/top"].steps == list(range(9))
    assert repr(run.series()) == "<18 points: 2 metrics of 1 run>"
    assert repr(run.series()["loss"]) == "<Series of 9 points>"


def test_metric_that_no_run_has_is_said(api: Api, project: str) -> None:
    said = r"^No run here has a metric 'los'\. Near to it: loss\.$"
    with pytest.raises(ValueError, match=said):
        api.run(project, "r2").series("los", "acc/top")
    with pytest.raises(ValueError, match=said):
        api.runs(project).series("loss", "los")
    assert api.runs(project, "config.lr > 9").series("los") == {}, "there are no runs to have it"


def test_tables_of_one_run_are_those_of_many(api: Api, project: str) -> None:
    one = api.run(project, "r0").series()
    many = api.runs(project, "name = r0").series()

    assert repr(list(one.points())) == repr(list(many.points()))
    assert repr(one.columns()) == repr(many.columns())
    assert one.to_pandas().equals(many.to_pandas())
    assert one.to_polars().equals(many.to_polars())


LONG = """
for name in ("a", "b"):
    run = aspara.Run(name=name, project="long")
    for step in range(2_500):
        run.log({"loss": step, "acc": -step}, step=step)
    run.finish()
"""


def test_answers_that_are_too_long_are_asked_for_in_parts(
    api: Api, server: LiveServer, root: Path
) -> None:
    """The server gives 1,000 points at once: less than any of these series has."""
    code, errors = run_job(LONG, root, server.url)
    assert code == 0, errors

    series = api.runs("long").series()

    assert {metric: sorted(by_run) for metric, by_run in series.items()} == {
        "acc": ["a", "b"],
        "loss": ["a", "b"],
    }
    for by_run in series.values():
        assert all(one.steps == list(range(2_500)) for one in by_run.values())
    assert series["acc"]["b"].values == [-float(step) for step in range(2_500)]


def test_what_the_server_refuses_for_good_is_raised(api: Api, project: str) -> None:
    with pytest.raises(ValueError, match="max_points"):
        api.runs(project).series(max_points=3)


def test_lists_come_in_pieces(api: Api, project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_module, "PAGE_ROWS", 2)

    assert [run.name for run in api.runs(project)] == ["r2", "r1", "r0"]
    assert [run.name for run in api.each_run(project, limit=1)] == ["r2"]


def test_table_of_pandas(api: Api, project: str) -> None:
    frame = api.runs(project).to_pandas()

    assert list(frame["name"]) == ["r2", "r1", "r0"]
    assert list(frame["exit_code"]) == [1, 0, 0]
    assert list(frame["summary.best"]) == [2.0, math.inf, 0.5]
    assert list(frame["config.model.depth"]) == [2, 1, 0]
    assert list(frame["loss"]) == [8.0, 5.0, 2.0]
    assert frame["start_time"].dt.tz == UTC
    assert (frame["finish_time"] >= frame["start_time"]).all()


def test_table_of_polars(api: Api, project: str) -> None:
    frame = api.runs(project).to_polars()

    assert frame["name"].to_list() == ["r2", "r1", "r0"]
    assert frame["tags"].to_list() == [["a", "b\x1b[31m"], ["a"], []]
    assert frame["config.large"].to_list() == [str(2**70), str(2**70), "1"]
    assert str(frame["start_time"].dtype) == "Datetime(time_unit='ms', time_zone='UTC')"


def test_missing_package_is_named_with_the_way_to_get_it(
    api: Api, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = api.runs(project)
    series = runs.series("loss")
    for name in ("pandas", "polars"):
        monkeypatch.setitem(sys.modules, name, None)

    for table, name in ((runs, "pandas"), (runs, "polars"), (series, "pandas"), (series, "polars")):
        with pytest.raises(ImportError, match=rf'pip install "runyard\[{name}\]"'):
            getattr(table, f"to_{name}")()


def test_tables_without_runs_have_their_columns(api: Api, project: str) -> None:
    runs = api.runs(project, "loss > 99")

    assert list(runs.to_pandas()) == runs.to_polars().columns
    assert next(iter(runs.to_pandas())) == "name"


def test_points_are_tables_too(api: Api, project: str) -> None:
    series = api.runs(project, "name = r0").series()
    pandas, polars = series.to_pandas(), series.to_polars()

    assert list(pandas) == polars.columns == ["run", "metric", "step", "time", "value"]
    assert list(pandas["metric"]) == ["acc/top"] * 3 + ["loss"] * 3
    assert list(pandas["step"]) == polars["step"].to_list() == [0, 1, 2, 0, 1, 2]
    assert same(polars["value"].to_list(), [0.0, 0.1, 0.2, *losses(3)])
    assert pandas["time"].dt.tz == UTC
    assert next(iter(series.points()))[:3] == ("r0", "acc/top", 0)


def test_what_is_not_there_is_said(api: Api, project: str) -> None:
    with pytest.raises(FileNotFoundError, match="Project 'nope' not found"):
        api.runs("nope")
    with pytest.raises(FileNotFoundError, match="Run 'nope' not found"):
        api.run(project, "nope")


def test_address_comes_from_the_environment(
    server: LiveServer, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNYARD_URL", server.url)

    assert runyard.Api().run(project, "r0").name == "r0"
    with pytest.raises(AttributeError):
        _ = runyard.nonsense


def test_without_an_address_it_says_how_to_give_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNYARD_URL", raising=False)

    with pytest.raises(NoServer, match=r"Api\('http://host:port'\), or set RUNYARD_URL"):
        Api()


def test_jobs_do_not_pay_for_it() -> None:
    script = "import sys, aspara, runyard; print('runyard.api' in sys.modules)"

    outcome = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(SDK)},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert outcome.stdout == "False\n"
