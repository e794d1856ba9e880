"""What a curator does to runs and their files."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from tests.factories import log_points, make_run
from tests.tracking.admin.conftest import admin_path, fill, make_artifact
from tracking.admin.lists import FIRST_ROWS
from tracking.models import Artifact, Run

pytestmark = pytest.mark.django_db
INLINES = {
    f"{inline}-{form}_FORMS": 0
    for inline in ("metrics", "artifacts")
    for form in ("TOTAL", "INITIAL")
}


def save(client: Client, run: Run, **changes: object) -> None:
    words = {"name": run.name, "tags": "\n".join(run.tags), "notes": "", "readme": ""}
    page = client.post(admin_path("run", "change", run.pk), words | INLINES | changes)
    assert page.status_code == 302, page.context["adminform"].errors


def act(client: Client, action: str, *runs: Run) -> None:
    chosen = {"action": action, "_selected_action": [run.pk for run in runs]}
    assert client.post(admin_path("run"), chosen).status_code == 302


def test_words_are_saved_and_are_no_sign_of_life(client):
    run = make_run(tags=["a", "b"])
    log_points(run, {"loss": [1.0]})
    Run.objects.update(last_seen_at=timezone.now() - timedelta(hours=5))
    before = Run.objects.get()

    save(
        client,
        run,
        name="Best",
        tags=" a, comma \n\nc\nc",
        notes="x < 1",
        **{"metrics-TOTAL_FORMS": 1, "metrics-INITIAL_FORMS": 1},
    )

    stored = Run.objects.get()
    assert (stored.name, stored.tags, stored.notes) == ("Best", ["a, comma", "c"], "x < 1")
    assert (stored.last_seen_at, stored.is_stale) == (before.last_seen_at, True)
    assert stored.revision == before.revision + 1
    assert "Changed Name, tags and notes." in LogEntry.objects.get().get_change_message()


def test_what_the_job_says_cannot_be_forged(client):
    run = make_run(config={"lr": 0.1})

    save(client, run, key="x", status="failed", config="{}", revision=99, uid="0" * 32, project=7)

    stored = Run.objects.get()
    assert (stored.key, stored.status, stored.config) == ("run-1", "running", {"lr": 0.1})
    assert (stored.uid, stored.project_id) == (run.uid, run.project_id)


@pytest.mark.parametrize(
    ("field", "text", "objection"),
    [
        ("tags", "\n".join(map(str, range(101))), "at most 100"),
        ("tags", "x" * 251, "1 to 250 characters"),
        ("notes", "a\x00b", "NUL character"),
        ("readme", "x" * 100_001, "at most 100000"),
    ],
)
def test_domain_objects_in_the_form(client, field, text, objection):
    run = make_run()
    words = {"name": "n", "tags": "", "notes": "", "readme": ""}

    page = client.post(admin_path("run", "change", run.pk), words | INLINES | {field: text})

    assert objection in str(page.context["adminform"].errors[field])
    assert Run.objects.get().name == "run-1"


def test_runs_are_archived_and_brought_back(client):
    chosen, other = make_run("chosen"), make_run("other")

    act(client, "archive", chosen)
    archived = {run.key for run in Run.objects.exclude(archived_at=None)}
    act(client, "restore", chosen, other)

    assert archived == {"chosen"}
    assert not Run.objects.exclude(archived_at=None).exists()
    assert [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")] == [
        "Archived.",
        "Restored.",
    ]


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_runs_are_marked(client, status):
    silent, alive, _ = map(make_run, ("silent", "alive", "other"))
    long_ago = timezone.now() - timedelta(days=3)
    Run.objects.filter(pk=silent.pk).update(last_seen_at=long_ago, started_at=long_ago)

    act(client, f"mark_as_{status}", silent, alive)

    stored = {run.key: run for run in Run.objects.all()}
    assert [stored[key].status for key in ("silent", "alive", "other")] == [
        status,
        status,
        "running",
    ]
    assert stored["silent"].ended_at == long_ago
    assert stored["alive"].metadata == {"finish_reason": f"Marked as {status} by local"}
    assert LogEntry.objects.filter(change_message__contains=f"Marked as {status}").count() == 2
    assert stored["other"].ended_at is None


def test_marking_again_changes_nothing(client):
    run = make_run()
    act(client, "mark_as_failed", run)
    before = Run.objects.values().get()

    act(client, "mark_as_failed", run)

    assert Run.objects.values().get() == before


@pytest.mark.parametrize("status", ["running", "stale", "completed", "failed", "cancelled"])
def test_list_is_filtered_by_the_shown_status(client, status):
    for word in ("running", "completed", "failed", "cancelled"):
        run = make_run(word)
        Run.objects.filter(pk=run.pk).update(status=word)
    Run.objects.filter(pk=make_run("stale").pk).update(
        last_seen_at=timezone.now() - timedelta(hours=1)
    )

    page = client.get(admin_path("run"), {"status": status})

    assert [run.key for run in page.context["cl"].result_list] == [status]
    assert f'class="status status-{status}"' in page.content.decode()


def test_page_shows_the_first_metrics_and_leads_to_all(client):
    run = make_run()
    log_points(run, {f"metric-{place:03}": [1.0, 2.0] for place in range(FIRST_ROWS + 5)})

    page = client.get(admin_path("run", "change", run.pk)).content.decode()

    assert page.count('<svg class="curve"') == FIRST_ROWS
    assert f"metric-{FIRST_ROWS - 1:03}" in page
    assert f"metric-{FIRST_ROWS:03}" not in page
    all_of_them = f"{admin_path('metric')}?run={run.pk}"
    assert f'<a href="{all_of_them}">30 metrics</a>' in page
    assert client.get(all_of_them).context["cl"].result_count == 30


def test_links_narrow_every_list_to_the_run(client):
    run = fill(2)
    make_run("other")

    for model in ("metric", "metricpoint", "logline", "artifact", "rowblock", "producer"):
        changelist = client.get(admin_path(model), {"run": run.pk}).context["cl"]
        gone = client.get(admin_path(model), {"run": run.pk + 99}).context["cl"]
        nonsense = client.get(admin_path(model), {"run": "no number"}).context["cl"]

        assert [one.result_count for one in (changelist, gone, nonsense)] == [2, 0, 0]


def test_words_of_a_file_are_saved(client):
    run = make_run()
    artifact = make_artifact(run, "model.pt")

    page = client.post(
        admin_path("artifact", "change", artifact.pk),
        {
            "category": "data",
            "description": "Test set",
            "tags": "best",
            "size_bytes": 1,
            "name": "x",
        },
    )

    stored = Artifact.objects.get()
    assert page.status_code == 302
    assert (stored.category, stored.description, stored.tags) == ("data", "Test set", ["best"])
    assert (stored.name, stored.size_bytes) == ("model.pt", 2_048)
    assert Run.objects.get().revision == run.revision + 2


def test_path_and_bindrs_of_a_file_are_shown(client):
    artifact = make_artifact(make_run(), "<w>.pt", path="models/a", bindrs=["<v1>"], uid=7_196_743)

    lists = client.get(admin_path("artifact"), {"q": "models/a"}).content.decode()
    page = client.get(admin_path("artifact", "change", artifact.pk)).content.decode()

    assert "models/a/&lt;w&gt;.pt" in lists
    for text in ("models/a", "&lt;w&gt;.pt", "&lt;v1&gt;", "7196743"):
        assert text in page


def test_replaced_file_offers_no_download(client):
    run = make_run()
    make_artifact(run, "old.pt", deleted_at=timezone.now())

    page = client.get(admin_path("artifact"), {"file": "gone"}).content.decode()

    assert "old.pt" in page
    assert "Download" not in page
