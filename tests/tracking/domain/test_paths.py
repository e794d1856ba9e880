"""Runs that are known by a path: `namespace/project/folder/name`."""

import uuid
from typing import Any

import pytest

from tests.factories import make_batch, make_run, start_event, take_in
from tracking.domain.access import local_user
from tracking.domain.ingest import Ack
from tracking.domain.moving import move_runs
from tracking.errors import InvalidInput
from tracking.models import Project, Run

pytestmark = pytest.mark.django_db


def start(producer: int = 2, *, namespace: str = "alice", name: str = "exp-1", **more: Any) -> Ack:
    payload = {"namespace": namespace, "project_name": "my proj", "name": name, **more}
    return take_in(
        make_batch(
            1,
            1,
            producer=uuid.UUID(int=producer),
            run_uid=uuid.UUID(int=producer),
            events=start_event(source="ml_dash", **payload),
        )
    )


def run_of(ack: Ack) -> Run:
    assert ack.run
    return ack.run


def test_a_path_makes_project_folder_and_name() -> None:
    run = run_of(start(folder="a b/c", readme="# Hi", bindrs=["b"], metadata={"gpu": 1}))

    assert (run.project.key, run.project.namespace, run.project.name) == (
        "alice~my-proj",
        "alice",
        "my proj",
    )
    assert (run.key, run.folder, run.name) == ("a-b~c~exp-1", "a b/c", "exp-1")
    assert (run.readme, run.bindrs, run.metadata) == ("# Hi", ["b"], {"metadata": {"gpu": 1}})


def test_the_same_path_is_the_same_run_also_renamed_and_moved() -> None:
    first = run_of(start(folder="a"))
    Run.objects.update(name="the best one")
    elsewhere = make_run("x", "elsewhere").project
    move_runs(Run.objects.filter(pk=first.pk), elsewhere, user=local_user())

    again = start(producer=3, folder="a", resume=True)

    assert (run_of(again).pk, again.created) == (first.pk, False)


def test_paths_that_read_alike_in_an_address_are_two_runs() -> None:
    keys = [run_of(start(producer, name=name)).key for producer, name in ((2, "A b"), (3, "a-b"))]

    assert keys == ["a-b", "a-b-2"]


def test_a_run_of_that_key_from_elsewhere_is_left_alone() -> None:
    theirs = make_run("exp-1", "vision", source="aspara")
    Project.objects.update(owner=local_user())

    mine = run_of(start(namespace="local", project_name="vision", resume=True))

    assert mine.project_id == theirs.project_id
    assert (mine.pk != theirs.pk, mine.key) == (True, "exp-1-2")


def test_a_namespace_that_is_not_the_owners_is_another_project() -> None:
    theirs = make_run("exp-1", "vision")

    mine = run_of(start(namespace="alice", project_name="vision"))

    assert (mine.project_id != theirs.project_id, mine.project.key) == (True, "alice~vision")


@pytest.mark.parametrize("folder", ["a/../b", "..", "a\x07b", "x" * 300, 7])
def test_a_bad_folder_is_refused(folder: object) -> None:
    with pytest.raises(InvalidInput):
        start(folder=folder)

    assert Project.objects.count() == 0


def test_a_namespace_needs_a_project_name() -> None:
    with pytest.raises(InvalidInput):
        start(project_name=None)
