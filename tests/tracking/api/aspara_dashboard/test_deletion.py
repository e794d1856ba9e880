"""Deleting runs and projects."""

from pathlib import Path

import pytest

from tests.factories import log_points, make_run
from tests.tracking.api.aspara_dashboard.conftest import keep_file
from tracking.models import Artifact, Metric, MetricPoint, Project, Run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_files")]
PROJECT = "/api/projects/proj"
RUN = f"{PROJECT}/runs/run-1"


@pytest.fixture
def runs() -> list[Run]:
    runs = [make_run("run-1"), make_run("run-2"), make_run("run-1", project="other")]
    for run in runs:
        log_points(run, {"loss": [1.0, 0.5]})
        keep_file(run, "m.pt", b"12345")
    return runs


def what_is_left(folder: Path) -> tuple[int, ...]:
    counts = [model.objects.count() for model in (Run, Metric, MetricPoint, Artifact)]
    return (*counts, sum(path.is_file() for path in folder.rglob("*")))


def test_deleting_a_run_frees_all_of_it(client, runs, tmp_path, settings):
    settings.TRASH_DAYS = 0
    answer = client.delete(RUN)

    assert (answer.status_code, answer.json()) == (
        200,
        {"message": "Run 'proj/run-1' deleted successfully"},
    )
    assert what_is_left(tmp_path) == (2, 2, 2, 2, 2)
    assert client.delete(RUN).json() == {"detail": "Run 'run-1' not found in project 'proj'"}


@pytest.mark.parametrize("path", [RUN, PROJECT])
def test_deleted_things_lie_in_the_trash(client, runs, tmp_path, path):
    client.delete(path)

    assert client.get(f"{RUN}/metrics").status_code == 404
    assert what_is_left(tmp_path) == ({RUN: 2, PROJECT: 1}[path], 3, 3, 3, 3)


def test_deleting_a_project_frees_all_of_it(client, runs, tmp_path, settings):
    settings.TRASH_DAYS = 0
    answer = client.delete(PROJECT)

    assert (answer.status_code, answer.json()) == (
        200,
        {"message": "Project 'proj' deleted successfully"},
    )
    assert what_is_left(tmp_path) == (1, 1, 1, 1, 1)
    assert list(Project.objects.values_list("key", flat=True)) == ["other"]
    assert client.delete(PROJECT).json() == {"detail": "Project 'proj' not found"}


@pytest.mark.parametrize("path", [f"{PROJECT}/runs/nope", "/api/projects/nope"])
def test_unknown_is_404(client, runs, tmp_path, path):
    assert client.delete(path).status_code == 404
    assert what_is_left(tmp_path) == (3, 3, 3, 3, 3)


@pytest.mark.parametrize("path", [PROJECT, RUN])
def test_another_sites_page_deletes_nothing(client, runs, tmp_path, path):
    answer = client.delete(path, headers={"Origin": "http://evil.example"})

    assert answer.status_code == 403
    assert what_is_left(tmp_path) == (3, 3, 3, 3, 3)


@pytest.mark.parametrize("path", [PROJECT, RUN])
def test_a_slash_at_the_end_changes_nothing(client, runs, path):
    assert client.delete(f"{path}/").status_code == 200
