"""Changes by hand: nobody overwrites what they have not seen."""

import pytest

from tests.factories import make_run
from tracking.domain.edits import edit_project, edit_run, fingerprint
from tracking.domain.projects import update_project
from tracking.domain.runs import update_run
from tracking.errors import InvalidInput, NotFound
from tracking.models import Project, Run

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("field", "value"), [("name", "New name"), ("tags", ["a", "b"]), ("notes", "*new*")]
)
def test_run_is_edited_by_who_has_seen_what_is_stored(field: str, value: object) -> None:
    run = make_run(tags=["old"], notes="old")

    assert edit_run(run, field, value, seen=fingerprint(getattr(run, field)))

    assert getattr(Run.objects.get(), field) == value
    assert Run.objects.get().key == "run-1"


def test_run_is_not_edited_by_who_has_not_seen_it() -> None:
    run = make_run(notes="first")
    update_run(Run.objects.get(), notes="second")

    assert not edit_run(run, "notes", "third", seen=fingerprint("first"))

    assert (Run.objects.get().notes, run.notes) == ("second", "second")


def test_value_that_is_stored_already_is_no_conflict() -> None:
    run = make_run(notes="same")

    assert edit_run(run, "notes", "same", seen="whatever")


@pytest.mark.parametrize(
    ("field", "value"), [("description", "few words"), ("tags", ["a"]), ("notes", "many words")]
)
def test_project_is_edited_likewise(field: str, value: object) -> None:
    project = make_run().project
    seen = fingerprint(getattr(project, field))

    assert edit_project(project, field, value, seen=seen)
    assert getattr(Project.objects.get(), field) == value

    update_project(Project.objects.get(), description="x", notes="x", tags=["x"])
    assert not edit_project(project, field, ["y"] if field == "tags" else "y", seen=seen)


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("name", "a\nb"), ("tags", [""]), ("notes", None)]
)
def test_what_cannot_be_stored_is_refused(field: str, value: object) -> None:
    run = make_run()

    with pytest.raises(InvalidInput):
        edit_run(run, field, value, seen=fingerprint(getattr(run, field)))


def test_what_was_deleted_meanwhile_is_not_found() -> None:
    run = make_run()
    project = run.project
    Project.objects.all().delete()

    with pytest.raises(NotFound, match="Run 'run-1' was deleted"):
        edit_run(run, "notes", "x", seen="")
    with pytest.raises(NotFound, match="Project 'proj' was deleted"):
        edit_project(project, "notes", "x", seen="")


def test_fingerprint_tells_values_apart() -> None:
    values = ["", "a", ["a"], [], ["a", "b"], ["ab"], "[]"]

    assert len({fingerprint(value) for value in values}) == len(values)
