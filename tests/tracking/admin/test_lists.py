"""Lists of large tables."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_run
from tests.tracking.admin.conftest import READ_ONLY, admin_path, fill
from tracking.admin import lists
from tracking.models import LogLine, Project, Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def many_lines(monkeypatch) -> Run:
    """More lines than are counted."""
    monkeypatch.setattr(lists, "COUNT_AT_MOST", 60)
    run = make_run()
    now = timezone.now()
    LogLine.objects.bulk_create(
        [LogLine(run=run, seq=seq, time=now, message=f"line {seq}") for seq in range(80)]
    )
    return run


def test_large_table_is_counted_so_far_and_no_further(client, many_lines):
    page = client.get(admin_path("logline"))

    assert page.context["cl"].result_count == 60
    assert "more than 60 log lines: search or filter" in page.content.decode()
    assert "?p=2" in page.content.decode()
    assert "?p=3" not in page.content.decode()
    newest = [line.seq for line in page.context["cl"].result_list]
    assert newest == list(range(79, 29, -1))


def test_narrowed_table_is_counted_to_its_end(client, many_lines):
    page = client.get(admin_path("logline"), {"q": '"line 7"'})

    assert page.context["cl"].result_count == 11
    assert "11 log lines" in " ".join(page.content.decode().split())


def test_page_beyond_the_last_one_is_no_error(client, many_lines):
    assert client.get(admin_path("logline"), {"p": 99}, follow=True).status_code == 200


@pytest.mark.parametrize("model", READ_ONLY)
def test_no_statement_counts_a_large_table(client, model):
    fill(3)

    with CaptureQueriesContext(connection) as queries:
        client.get(admin_path(model))
        client.get(admin_path(model), {"_facets": "True"})

    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert counts
    assert [sql for sql in counts if "LIMIT 10001" not in sql] == []


def test_days_of_log_lines_are_offered_within_a_run_only(client, many_lines):
    whole = client.get(admin_path("logline"))
    of_run = client.get(admin_path("logline"), {"run": many_lines.pk})

    assert whole.context["cl"].date_hierarchy is None
    assert of_run.context["cl"].date_hierarchy == "time"


@pytest.mark.parametrize("model", ["run", "artifact", *READ_ONLY])
def test_lists_leave_long_columns_where_they_are(client, model):
    fill(2)

    with CaptureQueriesContext(connection) as queries:
        client.get(admin_path(model))

    read = "".join(query["sql"] for query in queries)
    for column in ("config", "summary", "notes", "readme"):
        assert f'"tracking_run"."{column}"' not in read
    assert '"tracking_rowblock"."data"' not in read.replace(
        'LENGTH("tracking_rowblock"."data")', ""
    )
    assert '"tracking_logline"."metadata"' not in read


def test_project_filter_offers_the_first_projects_and_the_chosen_one(client, monkeypatch):
    monkeypatch.setattr(lists, "PROJECTS_LISTED", 2)
    for key in "abcd":
        make_run("run", key)
    chosen = Project.objects.get(key="d")

    page = client.get(admin_path("run"), {"project": chosen.pk})

    spec = next(spec for spec in page.context["cl"].filter_specs if spec.title == "project")
    offered = [
        (choice["display"], choice["selected"]) for choice in spec.choices(page.context["cl"])
    ]
    assert offered == [("All", False), ("d", True), ("a", False), ("b", False)]
    assert [run.project.key for run in page.context["cl"].result_list] == ["d"]


@pytest.mark.parametrize("term", ["0" * 8, "00000000-0000-0000-0000-0000000000ff"])
def test_run_is_found_by_its_uid_and_tag(client, term):
    make_run("a", uid="00000000-0000-0000-0000-0000000000ff", tags=["blue"])
    make_run("b")

    assert client.get(admin_path("run"), {"q": term}).context["cl"].result_list[0].key == "a"
    assert client.get(admin_path("run"), {"q": "blue"}).context["cl"].result_count == 1


@pytest.mark.parametrize(("gaps", "count"), [("yes", 2), ("no", 1)])
def test_producers_are_filtered_by_gaps(client, gaps, count):
    run = fill(2)
    run.producers.create(uuid="12345678123456781234567812345678")

    page = client.get(admin_path("producer"), {"gaps": gaps})

    assert page.context["cl"].result_count == count


def test_log_lines_are_filtered_by_level_whatever_its_case(client):
    run = make_run()
    for seq, level in enumerate(("info", "ERROR", "error")):
        LogLine.objects.create(run=run, seq=seq, time=timezone.now(), level=level, message="m")

    page = client.get(admin_path("logline"), {"level": "error"})

    assert [line.seq for line in page.context["cl"].result_list] == [2, 1]
