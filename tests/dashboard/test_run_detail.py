import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.factories import (
    keep_file,
    log_lines,
    log_points,
    log_rows,
    make_batch,
    make_run,
    start_event,
    take_in,
)
from tracking.domain.batch import Event
from tracking.domain.runs import finish_run, merge_summary
from tracking.enums import RunStatus
from tracking.models import Run

pytestmark = pytest.mark.django_db
PATH = "/projects/proj/runs/run-1"


def test_run_page_opens_with_what_matters(client: Client) -> None:
    run = make_run(config={"optimizer": {"lr": 0.01, "betas": [0.9, 0.999]}}, tags=["first"])
    log_points(run, {"loss": [3.0, 1.0, 2.0], "acc": [0.5]})
    merge_summary(run, {"best": {"acc": 0.123456}})
    finish_run(run, status=RunStatus.FAILED, exit_code=137)

    response = client.get(PATH)

    figures = response.context["figures"]
    assert (figures.last_step, figures.point_count, figures.metric_count) == (2, 4, 2)
    assert figures.summary == [("best.acc", 0.123456)]
    assert [metric.name for metric in figures.metrics] == ["acc", "loss"]
    page = response.content.decode()
    assert "failed</span>" in page
    assert "exit code 137" in page
    assert '<dt title="best.acc">best.acc</dt><dd title="0.123456">0.1235</dd>' in page
    assert '<dt title="loss">loss</dt><dd title="2.0">2</dd>' in page
    assert '<th scope="row">optimizer.betas</th><td class="mono">[0.9, 0.999]</td>' in page
    assert '<li class="tag">first</li>' in page
    assert page.count("<metric-chart") == 2


def test_run_page_says_why_the_run_ended(client: Client) -> None:
    finish_run(make_run(), status=RunStatus.FAILED, exit_code=1, reason="ValueError: <b> & more")

    page = client.get(PATH).content.decode()

    reason = "ValueError: &lt;b&gt; &amp; more"
    assert f'<p class="failure mono" title="Why it failed">{reason}</p>' in page
    assert "end-reason" not in page


def test_run_page_says_who_cancelled_it_beside_the_status(client: Client) -> None:
    finish_run(make_run(), status=RunStatus.CANCELLED, reason="SIGTERM")

    page = client.get(PATH).content.decode()

    assert '<span class="end-reason" title="SIGTERM">SIGTERM</span>' in page
    assert 'class="failure' not in page


def test_run_page_shows_where_the_training_ran(client: Client) -> None:
    commit, script = "0123456789abcdef" * 2 + "01234567", '/data/"<b>.py'
    environment = {
        "packages": {"torch": "2.4.0"},
        "variables": {"RANK": "0"},
        "git": {"branch": "main", "commit": commit},
        "cpu_count": 8,
        "script": script,
        "whereabouts": {"name": "attic"},
    }
    run = make_run(environment=environment)
    run.metadata |= {"team": "vision", "finish_reason": "boom"}
    run.save()

    response = client.get(PATH)

    assert response.context["environment"] == [
        ("CPUs", "8", ""),
        ("Script", script, ""),
        ("Commit", "0123456789", commit),
        ("Branch", "main", ""),
        ("torch", "2.4.0", ""),
        ("RANK", "0", ""),
        ("whereabouts.name", "attic", ""),
        ("team", "vision", ""),
    ]
    page = response.content.decode()
    assert f'<th scope="row">Commit</th><td class="mono" title="{commit}">0123456789</td>' in page
    assert '<th scope="row">Script</th><td class="mono">/data/&quot;&lt;b&gt;.py</td>' in page


@pytest.mark.parametrize("metadata", [{}, {"finish_reason": "boom"}, {"environment": {}}])
def test_run_page_without_an_environment_has_no_block_for_it(
    client: Client, metadata: dict[str, object]
) -> None:
    make_run()
    Run.objects.update(metadata=metadata)

    assert "Environment" not in client.get(PATH).content.decode()


def test_environment_that_is_no_map_is_shown_as_it_is(client: Client) -> None:
    make_run()
    Run.objects.update(metadata={"environment": "attic"})

    assert client.get(PATH).context["environment"] == [("environment", "attic", "")]


def test_run_page_tells_what_has_arrived_and_what_was_lost(client: Client) -> None:
    take_in(make_batch(1, 1, events=start_event(), logged_seq=1500))
    gap = {"first_seq": 2, "last_seq": 4, "count": 3, "reason": "no room <b>left</b>"}
    take_in(make_batch(2, 4, events=(Event(2, "gap", gap),), logged_seq=1500))

    behind = client.get(PATH).content.decode()
    take_in(make_batch(5, 1500, logged_seq=1500))
    whole = client.get(PATH).content.decode()

    assert '<dd title="4 of 1500">4 of 1,500</dd>' in behind
    assert "3 records lost" in behind
    assert "<li>3 × no room &lt;b&gt;left&lt;/b&gt;</li>" in behind
    assert '<dd title="1500 of 1500">all of 1,500</dd>' in whole


def test_run_page_of_plain_http_counts_no_records(client: Client) -> None:
    make_run()

    assert "Records received" not in client.get(PATH).content.decode()


def test_run_page_without_anything_teaches(client: Client) -> None:
    make_run()

    page = client.get(PATH).content.decode()

    assert "Charts appear with the first <code>aspara.log(" in page
    assert "This run has no config." in page
    assert "No files." in page


def test_run_page_asks_for_its_facts_only_while_it_runs(
    fragment: Callable[..., HttpResponse],
) -> None:
    run = make_run()

    while_running = fragment(PATH, "run-facts").content.decode()
    finish_run(run, status=RunStatus.COMPLETED)
    afterwards = fragment(PATH, "run-facts").content.decode()

    assert 'hx-trigger="every 5s, refresh"' in while_running
    assert 'hx-trigger="refresh"' in afterwards


def test_figures_say_what_is_no_number(client: Client) -> None:
    run = make_run()
    log_points(run, {"a": [math.nan, math.inf], "b": [1.0], "c": [1.0, 2.0, math.nan]})

    page = client.get(PATH).content.decode()

    notes = re.findall(r'<dd class="figure-note"[^>]*>(.*?)</dd>', page)
    assert notes == ["never finite", "one point", "1 … 2"]


def test_run_page_explains_a_stale_run(client: Client) -> None:
    run = make_run()
    Run.objects.filter(pk=run.pk).update(last_seen_at="2026-01-01T00:00Z")

    page = client.get(PATH).content.decode()

    assert re.search(r'title="No sign of life for [^"]+ The next one heals it', page)


def test_run_page_shows_what_the_training_said_of_its_machine(client: Client) -> None:
    run = make_run()
    without = client.get(PATH).content.decode()
    Run.objects.filter(pk=run.pk).update(
        metadata={"finish_reason": "done", "host": {"name": "<b>gpu-3</b>"}}
    )

    page = client.get(PATH).content.decode()

    assert 'id="environment"' not in without
    assert '<th scope="row">host.name</th><td class="mono">&lt;b&gt;gpu-3&lt;/b&gt;</td>' in page
    assert ">finish_reason<" not in page


def test_run_page_takes_as_many_queries_for_three_metrics_as_for_one(
    count_queries: Callable[[str], int], settings: object, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    run = make_run()
    log_points(run, {"a": [1.0]})
    log_lines(run, "one")
    log_rows(run, {"word": "one"})
    keep_file(run, "w", b"")
    queries = count_queries(PATH)
    log_points(run, {"b": [1.0], "c": [1.0]})
    log_lines(run, "two", "three")
    log_rows(run, {"word": "two"}, {"word": "three"})
    for name in ("x", "y"):
        keep_file(run, name, b"")

    assert count_queries(PATH) == queries == 12


def test_large_run_page_stays_below_150_kb(
    client: Client, settings: object, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    config = {f"layer_{n}": {"width": n, "name": "x" * 20} for n in range(2_500)}
    run = make_run(config=config, notes="A line of notes.\n" * 5_000)
    merge_summary(run, {f"summary-{n}": n for n in range(500)})
    log_points(run, {f"train/metric-{n}": [1.0] for n in range(1_000)})
    log_lines(run, *["x" * 1_000] * 300)
    for number in range(60):
        keep_file(run, f"file-{number}.txt", b"")

    response = client.get(PATH)

    assert len(response.content) < 150_000
    page = response.content.decode()
    assert "1–100 of 5000" in page
    assert "1–25 of 60" in page
    assert "Show all 85000 characters" in page


def test_config_is_searched_by_key_and_value(
    client: Client, fragment: Callable[..., HttpResponse]
) -> None:
    make_run(config={"optimizer": {"lr": 0.01, "name": "adam"}, "seed": 1})

    found = fragment(f"{PATH}/config", "run-config", q="ADAM").content.decode()
    page = client.get(f"{PATH}/config", {"q": "optimizer."}).content.decode()
    nothing = client.get(f"{PATH}/config", {"q": "<b>"}).content.decode()

    assert re.findall(r'<th scope="row">(.*?)</th>', found) == ["optimizer.name"]
    assert "<html" not in found
    assert re.findall(r'<th scope="row">(.*?)</th>', page) == ["optimizer.lr", "optimizer.name"]
    assert "Nothing matches “&lt;b&gt;”." in nothing


def test_config_is_copied_from_the_page_only_while_it_is_short(client: Client) -> None:
    make_run(config={"a": 1})
    make_run("long", config={"a": "x" * 30_000})

    short = client.get(PATH).content.decode()
    long = client.get("/projects/proj/runs/long").content.decode()

    assert '<pre id="config-json" hidden>{\n  &quot;a&quot;: 1\n}</pre>' in short
    assert "data-copy=" not in long
    assert len(long) < 40_000


def test_metric_table_of_a_run_is_filtered_and_cut_into_pages(
    client: Client, fragment: Callable[..., HttpResponse]
) -> None:
    run = make_run()
    merge_summary(run, {"best": {"acc": 0.5}})
    log_points(run, {f"m{n:03}": [float(n)] for n in range(101)})

    page = client.get(f"{PATH}/metrics").content.decode()
    second = fragment(f"{PATH}/metrics", "run-metrics", page="2").content.decode()
    found = fragment(f"{PATH}/metrics", "run-metrics", q="M05").content.decode()

    assert "1–100 of 101" in page
    assert '<th scope="row">best.acc</th><td class="mono">0.5</td>' in page
    assert re.findall(r'<td class="table-main">(.*?)</td>', second) == ["m100"]
    assert len(re.findall(r'<td class="table-main">', found)) == 10


def test_metric_table_of_a_run_has_twins(client: Client) -> None:
    run = make_run()
    log_points(run, {"loss": [3.0, 1.0, math.inf], "=acc": [0.1, math.nan]})

    as_csv = client.get(f"{PATH}/metrics", {"format": "csv"})
    as_json = client.get(f"{PATH}/metrics", {"format": "json", "q": "loss"})

    assert as_csv.headers["Content-Disposition"] == 'attachment; filename="proj-run-1-metrics.csv"'
    assert as_csv.content.decode().splitlines() == [
        "metric,last,min,max,mean,last_step,count",
        "'=acc,,0.1,0.1,0.1,1,2",
        "loss,Infinity,1.0,3.0,2.0,2,3",
    ]
    assert as_json.json() == {
        "project": "proj",
        "run": "run-1",
        "metrics": [
            {
                "metric": "loss",
                "last": "Infinity",
                "min": 1.0,
                "max": 3.0,
                "mean": 2.0,
                "last_step": 2,
                "count": 3,
            }
        ],
    }
    assert client.get(f"{PATH}/metrics", {"format": "xls"}).status_code == 400


def test_run_page_shows_what_an_ml_dash_training_says_of_itself(client: Client) -> None:
    make_run(
        source="ml_dash",
        folder="sweeps",
        readme="# About\n\n**Fast** <script>alert(1)</script>",
        bindrs=["gpu", "<b>"],
        metadata={"team": {"name": "vision"}, "<i>": 1},
    )

    page = client.get("/projects/proj/runs/run-1").content.decode()

    assert (
        "<h3>About</h3>\n<p><strong>Fast</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>" in page
    )
    assert '<li class="tag">gpu</li><li class="tag">&lt;b&gt;</li>' in page
    assert '<th scope="row">team.name</th><td class="mono">vision</td>' in page
    assert '<th scope="row">&lt;i&gt;</th><td class="mono">1</td>' in page
    assert "<dt>Source</dt><dd>ML-Dash</dd>" in page
    assert "could not be drawn" not in page


def test_run_page_has_no_place_for_what_other_runs_never_say(client: Client) -> None:
    make_run()

    page = client.get("/projects/proj/runs/run-1").content.decode()

    for part in ('id="readme"', 'id="metadata"', "<dt>Bindrs</dt>", "run-rows"):
        assert part not in page


def test_run_page_tells_quietly_what_could_not_be_drawn(client: Client) -> None:
    run = make_run(source="ml_dash")
    log_rows(run, {"bad\x07<b>": 1, "loss": 1}, {"worse\x07": 1})

    page = client.get("/projects/proj/runs/run-1").content.decode()

    assert "2 warnings about fields that could not be drawn" in page
    assert page.count("<li>Metric name &#x27;train/") == 2
    assert "<b>" not in page.partition("could not be drawn")[2].partition("</details>")[0]
    assert "streams" not in page.partition('id="environment"')[2]


def test_readme_is_edited_as_notes_are(client: Client) -> None:
    make_run(source="ml_dash")
    path = "/projects/proj/runs/run-1/readme"
    form = client.get(f"{path}?edit=1").content.decode()
    seen = re.search(r'name="seen" value="([^"]*)"', form)[1]  # type: ignore[index]

    saved = client.post(path, {"text": "# New", "seen": seen})

    assert (saved.status_code, saved.headers["Location"]) == (302, "/projects/proj/runs/run-1")
    assert Run.objects.get().readme == "# New"
    assert "Preview" in form
    assert client.post(path, {"text": "# Other", "seen": seen}).status_code == 409
