"""Deleting a run: it says what goes, and then it is gone."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from tests.factories import log_lines, log_points, make_run
from tests.people import make_person, share
from tracking.domain.artifacts import store_artifact
from tracking.domain.runs import finish_run
from tracking.enums import Role, RunStatus
from tracking.models import Metric, MetricPoint, Run, User

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/projects/proj/runs/run-1/deletion"
STILL_RUNNING = "This run is still running."


@pytest.fixture
def full_run(settings: object, tmp_path: Path) -> Run:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    run = make_run()
    log_points(run, {"loss": [3.0, 2.0, 1.0], "acc": [0.5]})
    log_lines(run, "one", "two")
    store_artifact(run, ContentFile(bytes(5_000)), name="model.pt")
    return run


def test_page_says_what_goes(client: Client, full_run: Run) -> None:
    page = client.get(PATH).content.decode()

    assert STILL_RUNNING in page
    assert '<td class="number">2</td><td class="muted">with 4 points, ' in page
    assert '<td class="number">1</td><td class="muted">4.9\xa0KB</td>' in page
    assert '<tr><th scope="row">Log lines</th><td class="number">2</td>' in page
    assert Run.objects.count() == 1


READ_FROM_FILES = "It was read from files."


def test_page_says_that_files_stay_where_they_were_read(client: Client) -> None:
    make_run(environment={"imported_from": {"format": "Aspara", "path": "/data/p/<r>"}})

    page = client.get(PATH).content.decode()

    assert f"{READ_FROM_FILES} They stay where they are, in <code>/data/p/&lt;r&gt;</code>" in page
    assert "not read again: the run does not come back. A training that still writes there" in page
    assert STILL_RUNNING not in page, "its training is told nothing"


@pytest.mark.parametrize("origin", [{}, {"imported_from": "x"}, {"imported_from": {"path": 3}}])
def test_page_says_nothing_of_files_that_it_does_not_know(
    client: Client, origin: dict[str, object]
) -> None:
    make_run(environment=origin)

    assert READ_FROM_FILES not in client.get(PATH).content.decode()


def test_run_lies_in_the_trash_and_comes_back(client: Client, full_run: Run) -> None:
    page = client.post(PATH, follow=True)
    undo = re.search(
        r'action="(/projects/proj/trash/restoration\?moment=[^"]+)"', text := page.content.decode()
    )

    assert "Run “run-1” moved to the trash." in text
    assert Run.objects.count() == 0
    back = client.post(unescape(undo[1]), follow=True)
    assert "1 run restored." in back.content.decode()
    assert [run.key for run in Run.objects.all()] == ["run-1"]
    assert client.post(unescape(undo[1])).status_code == 400


def test_run_is_gone_with_all_that_was_in_it(
    client: Client, full_run: Run, tmp_path: Path, settings: Any
) -> None:
    settings.TRASH_DAYS = 0
    make_run("kept")

    response = client.post(PATH, follow=True)

    assert response.redirect_chain == [("/projects/proj", 302)]
    assert "Run “run-1” deleted; 5.0\xa0KB freed." in response.content.decode()
    assert [run.key for run in Run.objects.all()] == ["kept"]
    assert (Metric.objects.count(), MetricPoint.objects.count()) == (0, 0)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert client.get(PATH).status_code == 404


def test_ended_run_goes_without_a_warning(client: Client) -> None:
    run = make_run()
    finish_run(run, status=RunStatus.COMPLETED)

    assert STILL_RUNNING not in client.get(PATH).content.decode()


@pytest.mark.parametrize(("is_member", "status"), [(True, 403), (False, 404)])
def test_only_those_who_may_write_can_delete(
    client: Client, as_user: Callable[[User], None], is_member: bool, status: int
) -> None:
    run = make_run()
    bob = make_person("bob")
    if is_member:
        share(run.project, bob, Role.VIEWER)
    as_user(bob)

    assert client.get(PATH).status_code == status
    assert client.post(PATH).status_code == status
    assert Run.objects.count() == 1


def test_forged_deletion_is_refused() -> None:
    make_run()

    assert Client(enforce_csrf_checks=True).post(PATH).status_code == 403
    assert Run.objects.count() == 1
