import pytest

from tests.factories import make_run
from tracking.domain.names import free_key, make_key
from tracking.models import Project


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("my_project", "my_project"),
        ("My_Project-2", "My_Project-2"),
        ("My Project", "my-project"),
        ("  Über  Größe! ", "uber-groe"),
        ("lr_0.001", "lr_0-001"),
        ("a/b.c", "a-b-c"),
        ("项目", "project"),
        ("!!!", "project"),
        ("metrics", "project"),
        ("Runs!", "project"),
        ("x" * 250, "x" * 250),
        (f"{'x' * 249} ", "x" * 230),
    ],
)
def test_key_is_the_name_as_far_as_urls_take_it(name: str, key: str) -> None:
    assert make_key(name, "project") == key


@pytest.mark.django_db
def test_taken_key_gets_the_first_free_number() -> None:
    for project in ("a", "a-2", "a-4"):
        make_run(project=project)

    assert free_key(Project.objects, "b") == "b"
    assert free_key(Project.objects, "a") == "a-3"
