import pytest

from tests.factories import make_run
from tests.people import make_person
from tracking.domain.views import delete_view, save_view
from tracking.errors import AlreadyExists, InvalidInput
from tracking.models import Project, Run, SavedView, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make_run().project


@pytest.fixture
def alice() -> User:
    return make_person("alice")


def rows() -> list[tuple[str, str, str, str]]:
    fields = ("name", "page", "query", "created_by__username")
    return list(SavedView.objects.values_list(*fields))


def test_save_view_keeps_the_parameters_in_order(project: Project, alice: User) -> None:
    query = "?q=tag+%3D+best&col=loss&col=acc&sort=-loss.min&run="

    save_view(project, name="  Best ones ", page="runs", query=query, user=alice)

    assert rows() == [
        ("Best ones", "runs", "q=tag+%3D+best&col=loss&col=acc&sort=-loss.min&run=", "alice")
    ]


def test_save_view_leaves_out_where_one_was_in_the_list(project: Project, alice: User) -> None:
    view = save_view(project, name="a", page="runs", query="page=7&q=x&format=csv", user=alice)

    assert view.query == "q=x"


def test_save_view_under_a_taken_name_must_be_meant(project: Project, alice: User) -> None:
    save_view(project, name="a", page="runs", query="q=old", user=alice)

    with pytest.raises(AlreadyExists, match="There is a view “a” already"):
        save_view(project, name="a", page="charts", query="q=new", user=make_person("bob"))
    unchanged = rows()
    save_view(project, name="a", page="charts", query="q=new", user=alice, replace=True)

    assert unchanged == [("a", "runs", "q=old", "alice")]
    assert rows() == [("a", "charts", "q=new", "alice")]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"name": " "}, "name has 1 to 250 characters"),
        ({"name": "x" * 251}, "name has 1 to 250 characters"),
        ({"name": "a\nb"}, "name has control characters"),
        ({"name": "a\0b"}, "NUL"),
        ({"page": "admin"}, "There is no page 'admin'"),
        ({"query": "q=" + "x" * 4_000}, "address of 4002 characters; at most 4000"),
    ],
)
def test_save_view_refuses(
    project: Project, alice: User, wrong: dict[str, str], reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason):
        save_view(project, **({"name": "a", "page": "runs", "query": ""} | wrong), user=alice)  # type: ignore[arg-type]

    assert rows() == []


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("//evil.example/?q=x", "%2F%2Fevil.example%2F%3Fq=x"),
        ("#top", "%23top="),
        ('"><script>=1', "%22%3E%3Cscript%3E=1"),
        ("q=%ff", "q=%EF%BF%BD"),
    ],
)
def test_save_view_makes_parameters_of_whatever_comes(
    project: Project, alice: User, query: str, kept: str
) -> None:
    assert save_view(project, name="a", page="runs", query=query, user=alice).query == kept


def test_delete_view_leaves_runs_alone(project: Project, alice: User) -> None:
    delete_view(save_view(project, name="a", page="runs", query="run=run-1", user=alice))

    assert rows() == []
    assert Run.objects.count() == 1
