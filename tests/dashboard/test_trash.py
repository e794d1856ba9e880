"""The trash on pages: what lies there, and how it comes back or goes."""

from collections.abc import Callable

import pytest
from django.test import Client

from tests.factories import log_points, make_run
from tests.people import make_person, share
from tracking.domain.trash import discard_projects, discard_runs
from tracking.enums import Role
from tracking.models import Project, Run, User

pytestmark = pytest.mark.django_db(transaction=True)
TRASH = "/projects/proj/trash"


def make_discarded(*keys: str) -> list[Run]:
    runs = [make_run(key) for key in keys]
    for run in runs:
        log_points(run, {"loss": [1.0]})
        discard_runs(Run.objects.filter(pk=run.pk))
    return runs


def text(answer: object) -> str:
    return answer.content.decode().replace("\xa0", " ")  # type: ignore[attr-defined]


def test_trash_lists_what_was_deleted_and_what_it_takes(client: Client) -> None:
    make_discarded("gone")
    make_run("kept")

    page = text(client.get(TRASH))

    assert "1 run; emptying frees 25 bytes." in page
    assert 'aria-label="Choose gone"' in page
    assert "kept" not in page


def test_empty_trash_says_so(client: Client) -> None:
    make_run()

    assert "Nothing is in the trash." in text(client.get(TRASH))
    assert client.get(f"{TRASH}/emptying").status_code == 400


def test_query_count_is_constant(client: Client, count_queries: Callable[[str], int]) -> None:
    make_discarded("a")
    client.get(TRASH)
    one = count_queries(TRASH)
    make_discarded("b", "c")

    assert count_queries(TRASH) == one


def test_chosen_runs_are_restored_and_new_names_are_told(client: Client) -> None:
    first, second, _ = make_discarded("a", "b", "c")
    make_run("a")

    page = client.post(f"{TRASH}/restoration", {"run": [first.pk, second.pk]}, follow=True)

    assert "2 runs restored. “a” is “a-2” now." in text(page)
    assert sorted(run.key for run in Run.objects.all()) == ["a", "a-2", "b"]


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("", {"run": "x"}),
        ("", {"run": "9" * 30}),
        ("?moment=x", {}),
        ("?moment=2026-13-01", {}),
        ("?moment=2026-01-01T00:00:00", {}),
        ("?moment=2026-01-01T00:00:00Z", {}),
    ],
)
def test_nothing_is_restored_by_nonsense(client: Client, query: str, data: dict[str, str]) -> None:
    make_discarded("a")

    assert client.post(f"{TRASH}/restoration{query}", data).status_code == 400
    assert Run.objects.count() == 0


@pytest.mark.parametrize("door", ["restoration", "emptying"])
def test_nothing_chosen_is_asked_for_in_the_trash(client: Client, door: str) -> None:
    make_discarded("a")

    answer = client.post(f"{TRASH}/{door}", follow=True)

    assert answer.redirect_chain == [(TRASH, 302)]
    assert '<p class="message message-error">Choose at least one run.' in text(answer)
    assert (Run.objects.count(), Run.everything.count()) == (0, 1)


def test_trash_of_another_project_is_out_of_reach(client: Client) -> None:
    [run] = make_discarded("a")
    make_run("x", "other")

    answer = client.post("/projects/other/trash/restoration", {"run": run.pk})

    assert (answer.status_code, Run.objects.filter(key="a").count()) == (400, 0)


def test_chosen_runs_go_for_good_once_confirmed(client: Client) -> None:
    first, _ = make_discarded("a", "b")

    question = text(client.post(f"{TRASH}/emptying", {"run": first.pk}))
    assert "Delete 1 run for good?" in question
    assert Run.everything.count() == 2
    page = client.post(f"{TRASH}/emptying", {"run": first.pk, "confirmed": "1"}, follow=True)

    assert "Deleted for good; 25 bytes freed." in text(page)
    assert [run.key for run in Run.everything.all()] == ["b"]


def test_trash_is_emptied(client: Client) -> None:
    make_discarded("a", "b")
    make_run("kept")

    assert "Empty the trash?" in text(client.get(f"{TRASH}/emptying"))
    client.post(f"{TRASH}/emptying", {"confirmed": "1"})

    assert [run.key for run in Run.everything.all()] == ["kept"]


def test_project_is_deleted_by_its_name_and_comes_back(client: Client) -> None:
    project = make_run().project

    wrong = client.post("/projects/proj/deletion", {"name": "prog"})
    assert (wrong.status_code, "That is not the project's name." in text(wrong)) == (400, True)
    page = text(client.post("/projects/proj/deletion", {"name": "proj"}, follow=True))
    assert "Project “proj” moved to the trash." in page
    assert f'action="/trash/{project.pk}/restoration"' in page
    assert client.get("/projects/proj").status_code == 404

    assert 'aria-label="Restore proj"' in text(client.get("/trash"))
    back = client.post(f"/trash/{project.pk}/restoration", follow=True)
    assert "Project “proj” restored." in text(back)
    assert Run.objects.count() == 1


def test_project_goes_for_good(client: Client) -> None:
    project = make_run().project
    discard_projects(Project.objects.all())
    path = f"/trash/{project.pk}/deletion"

    assert "Delete proj for good?" in text(client.get(path))
    client.post(path)

    assert (Project.everything.count(), Run.everything.count()) == (0, 0)
    assert client.post(path).status_code == 404


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, None])
def test_who_is_no_owner_restores_no_project(
    client: Client, as_user: Callable[[User], None], role: Role | None
) -> None:
    project = make_run().project
    bob = make_person("bob")
    if role:
        share(project, bob, role)
    discard_projects(Project.objects.all())
    as_user(bob)

    answers = [
        client.get(f"/trash/{project.pk}/deletion").status_code,
        client.post(f"/trash/{project.pk}/deletion").status_code,
        client.post(f"/trash/{project.pk}/restoration").status_code,
    ]

    assert answers == [404, 404, 404]
    assert "proj" not in text(client.get("/trash")).split("<main")[1].split("</main>")[0].replace(
        "projects", ""
    ).replace("Projects", "")


def test_viewer_sees_no_trash(client: Client, as_user: Callable[[User], None]) -> None:
    [run] = make_discarded("a")
    bob = make_person("bob")
    share(run.project, bob, Role.VIEWER)
    as_user(bob)

    answers = [
        client.get(TRASH).status_code,
        client.post(f"{TRASH}/restoration", {"run": run.pk}).status_code,
        client.post(f"{TRASH}/emptying", {"confirmed": "1"}).status_code,
    ]

    assert answers == [403, 403, 403]
    assert Run.everything.count() == 1
