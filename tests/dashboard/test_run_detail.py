from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpResponse
from django.test import AsyncClient, Client

from tests.factories import log_points, make_batch, make_run, start_event, take_in
from tracking.domain.batch import Event
from tracking.domain.runs import finish_run, merge_summary
from tracking.enums import RunStatus
from tracking.models import Artifact, Run

pytestmark = pytest.mark.django_db
PATH = "/projects/proj/runs/run-1"


def keep_file(run: Run, name: str, content: bytes) -> Artifact:
    return Artifact.objects.create(
        run=run,
        name=name,
        category="model",
        description="the best one",
        size_bytes=len(content),
        sha256="ab12" * 16,
        content_type="text/html",
        storage_key=default_storage.save(f"00/{name}", ContentFile(content)),
    )


def test_run_page_opens_with_what_matters(client: Client) -> None:
    run = make_run(config={"optimizer": {"lr": 0.01, "betas": [0.9, 0.999]}}, tags=["first"])
    log_points(run, {"loss": [3.0, 1.0, 2.0], "acc": [0.5]})
    merge_summary(run, {"best": {"acc": 0.123456}})
    finish_run(run, status=RunStatus.FAILED, exit_code=137)

    response = client.get(PATH)

    assert (response.context["last_step"], response.context["point_count"]) == (2, 4)
    page = response.content.decode()
    assert "failed</span>" in page
    assert "exit code 137" in page
    assert '<td class="number clip" title="0.123456">0.1235</td>' in page
    assert '<th scope="row">optimizer.betas</th><td class="mono">[0.9, 0.999]</td>' in page
    assert '<li class="tag">first</li>' in page
    assert page.count("<metric-chart") == 2


def test_run_page_says_why_the_run_ended(client: Client) -> None:
    finish_run(make_run(), status=RunStatus.FAILED, exit_code=1, reason="ValueError: <b> & more")

    page = client.get(PATH).content.decode()

    reason = "ValueError: &lt;b&gt; &amp; more"
    assert f'<span class="end-reason" title="{reason}">{reason}</span>' in page


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


def test_run_page_keeps_the_lines_of_notes(client: Client) -> None:
    make_run(notes="first\n  <b>second</b>")

    assert '<p class="notes">first\n  &lt;b&gt;second&lt;/b&gt;</p>' in (
        client.get(PATH).content.decode()
    )


def test_run_page_asks_for_its_facts_only_while_it_runs(
    fragment: Callable[..., HttpResponse],
) -> None:
    run = make_run()

    while_running = fragment(PATH, "run-facts").content.decode()
    finish_run(run, status=RunStatus.COMPLETED)
    afterwards = fragment(PATH, "run-facts").content.decode()

    assert 'hx-trigger="every 5s, refresh"' in while_running
    assert 'hx-trigger="refresh"' in afterwards


def test_run_page_takes_as_many_queries_for_three_metrics_as_for_one(
    count_queries: Callable[[str], int], settings: object, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    run = make_run()
    log_points(run, {"a": [1.0]})
    queries = count_queries(PATH)
    log_points(run, {"b": [1.0], "c": [1.0]})
    for name in ("x", "y", "z"):
        keep_file(run, name, b"")

    assert count_queries(PATH) == queries


def test_artifact_table_shows_what_is_stored_and_not_what_was_replaced(
    client: Client, settings: object, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    run = make_run()
    kept = keep_file(run, "model.pt", b"x" * 2048)
    gone = keep_file(run, "gone.pt", b"x")
    Artifact.objects.filter(pk=gone.pk).update(deleted_at="2026-01-01T00:00Z")

    page = client.get(PATH).content.decode()

    assert f'href="{PATH}/artifacts/{kept.pk}"' in page
    assert "2.0\xa0KB" in page
    assert '<td class="mono" title="' + "ab12" * 16 + '">ab12ab12</td>' in page
    assert "gone.pt" not in page
    assert client.get(f"{PATH}/artifacts/{gone.pk}").status_code == 404


@pytest.mark.django_db(transaction=True)
async def test_artifact_is_sent_to_be_saved_and_never_shown(
    async_client: AsyncClient, settings: object, tmp_path: Path
) -> None:
    from asgiref.sync import sync_to_async

    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    run = await sync_to_async(make_run)()
    content = b"<script>" * 100_000
    kept = await sync_to_async(keep_file)(run, "page.html", content)

    response = await async_client.get(f"{PATH}/artifacts/{kept.pk}")

    assert b"".join([chunk async for chunk in response]) == content
    assert {name: response[name] for name in ("Content-Type", "X-Content-Type-Options")} == {
        "Content-Type": "application/octet-stream",
        "X-Content-Type-Options": "nosniff",
    }
    assert response["Content-Disposition"] == 'attachment; filename="page.html"'
    assert response["Content-Length"] == "800000"


def test_artifact_of_another_run_is_not_found(
    client: Client, settings: object, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    make_run()
    kept = keep_file(make_run("run-2"), "model.pt", b"x")

    assert client.get(f"{PATH}/artifacts/{kept.pk}").status_code == 404
    assert client.get(f"{PATH}/artifacts/{10**30}").status_code == 404
