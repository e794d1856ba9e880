"""A project's storage page: what it takes, its rules, its quota."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from auditlog.models import LogEntry
from django.test import Client
from django.utils import timezone

from tests.factories import log_points, make_run
from tests.people import make_person, share
from tracking.domain.quotas import find_quota, forget_room, set_quota
from tracking.domain.retention import apply_retention, set_retention
from tracking.domain.runs import finish_run
from tracking.enums import Role, RunStatus
from tracking.models import Project, Run, User

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/projects/proj/storage"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    forget_room()


def make_old_run() -> Run:
    run = make_run()
    log_points(run, {"loss": [float(n) for n in range(3_000)]})
    finish_run(run, status=RunStatus.COMPLETED)
    Run.objects.update(ended_at=timezone.now() - timedelta(days=9))
    return run


def text(answer: object) -> str:
    return answer.content.decode().replace("\xa0", " ")  # type: ignore[attr-defined]


def test_rules_are_kept_and_what_is_due_is_told(client: Client) -> None:
    make_old_run()

    page = client.post(PATH, {"keep_full_days": "7", "keep_thinned_days": ""}, follow=True)

    project = Project.objects.get()
    assert (project.keep_full_days, project.keep_thinned_days) == (7, None)
    assert LogEntry.objects.latest("pk").changes["keep_full_days"] == ["None", "7"]
    assert "1 run will be thinned and 0 will keep only summaries" in text(page)
    client.post(PATH, {"keep_full_days": "", "keep_thinned_days": ""})
    assert Project.objects.get().keep_full_days is None


@pytest.mark.parametrize("days", ["-1", "x", "99999999999999999999"])
def test_rules_that_make_no_sense_are_refused(client: Client, days: str) -> None:
    make_run()

    answer = client.post(PATH, {"keep_full_days": days})

    assert (answer.status_code, Project.objects.get().keep_full_days) == (400, None)
    assert 'class="problem"' in text(answer)


def test_run_page_says_what_is_left(client: Client) -> None:
    run = make_old_run()
    project = run.project
    path = "/projects/proj/runs/run-1"
    assert 'id="thinned"' not in text(client.get(path))

    set_retention(project, keep_full_days=0, keep_thinned_days=None)
    apply_retention(project)
    assert "of each series at most 1,000 points are kept" in text(client.get(path))

    set_retention(project, keep_full_days=0, keep_thinned_days=0)
    apply_retention(project)
    assert "Only summaries are kept" in text(client.get(path))


def test_charts_of_several_runs_say_which_have_lost_points(client: Client) -> None:
    run = make_old_run()
    make_run("full")
    set_retention(run.project, keep_full_days=0, keep_thinned_days=None)
    pages = ["/projects/proj", "/projects/proj/compare?run=run-1&run=full"]
    assert ["chart-points" in text(client.get(page)) for page in pages] == [False, False]

    for thinned_days, words in [
        (None, "Thinned to at most 1,000 points of each series:"),
        (0, "Only summaries are kept, no earlier points:"),
    ]:
        set_retention(run.project, keep_full_days=0, keep_thinned_days=thinned_days)
        apply_retention(run.project)
        for page in pages:
            _, _, note = text(client.get(page)).partition(words)
            link, _, _ = note.partition("</p>")
            assert ('">run-1</a>' in link, "full" in link) == (True, False)


def test_quota_is_set_and_told_when_it_is_used_up(client: Client, settings: object) -> None:
    make_old_run()

    client.post(f"{PATH}/quota", {"quota_mb": "2"})
    assert Project.objects.get().quota_bytes == 2 * 1024**2
    assert "% of 2.0 MB" in text(client.get(PATH))
    client.post(f"{PATH}/quota", {"quota_mb": ""})
    settings.PROJECT_QUOTA_BYTES = 10  # type: ignore[attr-defined]

    for page in (PATH, "/projects/proj", "/projects/proj/runs"):
        assert "The quota of this project is used up: new files are refused" in text(
            client.get(page)
        )


def test_all_figures_of_the_page_are_of_now(client: Client) -> None:
    run = make_run()
    set_quota(run.project, 1024**2)
    client.get(PATH)
    assert find_quota(run.project).taken_bytes == 0, "remembered"
    run.artifacts.create(name="m", size_bytes=768 * 1024, sha256="", storage_key="x")

    page = text(client.get(PATH))

    assert '<dt>In all</dt><dd title="786432 bytes">768.0 KB</dd>' in page
    assert "75 % of 1.0 MB" in page


def test_owner_sets_rules_and_no_quota(client: Client, as_user: Callable[[User], None]) -> None:
    project = make_run().project
    alice = make_person("alice")
    share(project, alice, Role.OWNER)
    as_user(alice)

    page = text(client.get(PATH))

    assert "Save the rules" in page
    assert "Set the quota" not in page
    assert client.post(f"{PATH}/quota", {"quota_mb": "1"}).status_code == 403
    assert Project.objects.get().quota_bytes is None


def test_viewer_reads_the_rules(client: Client, as_user: Callable[[User], None]) -> None:
    project = make_run().project
    set_retention(project, keep_full_days=7, keep_thinned_days=30)
    bob = make_person("bob")
    share(project, bob, Role.VIEWER)
    as_user(bob)

    page = text(client.get(PATH))

    assert "All points for 7 days after a run has ended; then thinned series for 30 days" in page
    assert "<form" not in page.split("<main")[1].split("</main>")[0]
    assert client.post(PATH, {"keep_full_days": "1"}).status_code == 403
