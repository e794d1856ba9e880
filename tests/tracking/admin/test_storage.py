import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import keep_file, log_points, make_run
from tests.people import make_person
from tracking.domain.usage import usage_of_projects, usage_of_users
from tracking.domain.weights import weigh_runs
from tracking.models import Artifact, Run

pytestmark = pytest.mark.django_db
PAGE = "/admin/tracking/project/storage/"


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_projects_and_people_are_told_with_what_they_take():
    alice = make_person("alice")
    small, large = make_run("a", "small"), make_run("b", "large")
    Run.objects.filter(pk=large.pk).update(created_by=alice)
    log_points(small, {"loss": [1.0, 2.0]})
    log_points(large, {"loss": [1.0] * 5})
    keep_file(large, "model.pt", b"x" * 1000)
    gone = keep_file(large, "old.pt", b"x" * 500)
    Artifact.objects.filter(pk=gone.pk).update(deleted_at=gone.created_at)

    projects, users = usage_of_projects(), usage_of_users()

    assert list(projects) == [large.project_id, small.project_id]
    of_large = projects[large.project_id]
    weight = weigh_runs(Run.objects.filter(pk=large.pk))
    assert (of_large.run_count, of_large.point_count) == (1, 5)
    assert (of_large.data_bytes, of_large.file_bytes) == (weight.data_bytes, 1000)
    assert users == {alice.pk: of_large, small.created_by_id: projects[small.project_id]}


def test_page_takes_as_many_queries_for_many_as_for_few(client, count_queries):
    log_points(make_run(), {"loss": [1.0]})
    client.get(PAGE)
    few = count_queries(PAGE)
    for number in range(4):
        log_points(make_run(project=f"more-{number}"), {"loss": [1.0]})

    assert count_queries(PAGE) == few


def test_empty_server_says_so(client):
    assert client.get(PAGE).content.decode().count("Nothing is stored.") == 2


def test_list_of_projects_leads_to_it(client):
    assert PAGE in client.get("/admin/tracking/project/").content.decode()


def test_page_is_for_who_may_see_projects(settings):
    settings.ACCESS = "login"
    staff = make_person("staff")
    staff.is_staff = True
    staff.save()
    browser = Client()
    browser.force_login(staff, "django.contrib.auth.backends.ModelBackend")

    assert browser.get(PAGE).status_code == 403
    with CaptureQueriesContext(connection) as queries:
        browser.get(PAGE)
    assert not [query for query in queries if "LENGTH" in query["sql"]]
