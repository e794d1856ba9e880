"""The trash: what goes in is there for nobody, what comes out is as it was."""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import (
    log_lines,
    log_points,
    make_batch,
    make_points,
    make_run,
    start_event,
    take_in,
)
from tests.people import make_person, share
from tracking.domain import deletion, trash
from tracking.domain.access import local_user, visible_projects, visible_runs
from tracking.domain.artifacts import store_artifact
from tracking.domain.deletion import DOOMED
from tracking.domain.trash import (
    discard_projects,
    discard_runs,
    discarded_projects,
    discarded_runs,
    empty_trash,
    find_discarded_project,
    purge_trash,
    restore_project,
    restore_runs,
)
from tracking.domain.usage import usage_of_projects
from tracking.domain.weights import Weight, weigh_runs
from tracking.enums import Role
from tracking.errors import NotFound, NotPermitted, RunDeleted
from tracking.models import Artifact, LogLine, Metric, MetricPoint, Project, Run

pytestmark = pytest.mark.django_db(transaction=True)
MONTH = timedelta(days=30)


@pytest.fixture(autouse=True)
def store(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "artifacts"
    return settings.MEDIA_ROOT


def make_full_run(key: str, project: str = "proj") -> Run:
    run = make_run(key, project)
    log_points(run, {"loss": [3.0, 2.0, 1.0]})
    store_artifact(run, ContentFile(b"weights"), name="model.pt")
    return run


def keys(runs) -> list[str]:
    return [run.key for run in runs]


def test_discarded_runs_are_there_for_nobody_and_keep_their_room():
    run = make_full_run("a")
    make_run("kept")
    before = weigh_runs(Run.objects.filter(pk=run.pk))

    gone = discard_runs(Run.objects.filter(pk=run.pk))

    assert gone.weight == before
    assert keys(Run.objects.all()) == keys(visible_runs(local_user())) == ["kept"]
    assert keys(run.project.runs.all()) == ["kept"]
    assert keys(discarded_runs(run.project)) == ["a"]
    assert weigh_runs(discarded_runs(run.project)) == before
    assert (Metric.objects.count(), Artifact.objects.count()) == (1, 1)
    usage = usage_of_projects()[run.project_id]
    assert (usage.run_count, usage.total_bytes) == (1, 0)


def test_restored_run_is_as_it_was():
    run = make_full_run("a")
    before = weigh_runs(Run.objects.all())
    discard_runs(Run.objects.all())

    assert keys(restore_runs(discarded_runs(run.project))) == ["a"]

    assert weigh_runs(Run.objects.all()) == before
    assert discarded_runs(run.project).count() == 0
    stored = Run.objects.get()
    assert (stored.uid, stored.name, stored.revision) == (run.uid, "a", 4)


def test_name_is_free_at_once_and_a_restored_run_steps_aside():
    first = make_run("a")
    discard_runs(Run.objects.all())
    second = make_run("a")

    [back] = restore_runs(discarded_runs(first.project))

    assert second.key == "a"
    assert (back.pk, back.key, back.name) == (first.pk, "a-2", "a-2")


def test_name_that_people_gave_is_kept():
    first = make_run("a", name="The best one")
    discard_runs(Run.objects.all())
    make_run("a")

    [back] = restore_runs(discarded_runs(first.project))

    assert (back.key, back.name) == ("a-2", "The best one")


def test_several_runs_of_one_name_come_back_together():
    project = make_run("a").project
    discard_runs(Run.objects.all())
    make_run("a")
    discard_runs(Run.objects.all())

    assert keys(restore_runs(discarded_runs(project))) == ["a", "a-2"]


def test_uid_is_free_at_once():
    uid = uuid.UUID(int=7)
    first = make_run("a", uid=uid)
    discard_runs(Run.objects.all())

    second = make_run("a", uid=uid)

    assert second.pk != first.pk
    assert second.uid == uid
    assert Run.everything.get(pk=first.pk).uid != uid


def test_number_of_a_file_is_free_at_once():
    first = make_run("a")
    store_artifact(first, ContentFile(b"weights"), name="model.pt", uid=5)
    discard_runs(Run.objects.all())

    again = store_artifact(make_run("a"), ContentFile(b"weights"), name="model.pt", uid=5)

    assert (again.uid, again.run.key) == (5, "a")
    assert Artifact.objects.get(run=first).uid != 5


def test_producer_is_refused_and_goes_on_once_its_run_is_back():
    take_in(make_batch(1, 1, events=start_event()))
    run = Run.objects.get()
    discard_runs(Run.objects.all())
    news = make_batch(2, 2, points=make_points({"loss": [1.0]}))

    with pytest.raises(RunDeleted):
        take_in(news)
    restore_runs(discarded_runs(run.project))

    assert take_in(news).acked_seq == 2
    assert Metric.objects.get(run=run).count == 1


def test_watchers_are_told(monkeypatch):
    run, told = make_run(), []
    monkeypatch.setattr(
        "tracking.domain.events.announce", lambda run_id, revision: told.append((run_id, revision))
    )

    discard_runs(Run.objects.all())

    assert told == [(run.pk, 2**63 - 1)]


def test_discarded_project_takes_its_runs_and_comes_back_with_them():
    project = make_full_run("a").project
    make_run("gone before")
    make_full_run("b", "other")
    discard_runs(Run.objects.filter(key="gone before"))

    gone = discard_projects(Project.objects.filter(pk=project.pk))

    assert gone.weight.file_count == 1
    assert [one.key for one in visible_projects(local_user())] == ["other"]
    assert keys(Run.objects.all()) == ["b"]
    back = restore_project(find_discarded_project(local_user(), project.pk))
    assert (back.key, back.deleted_at) == ("proj", None)
    assert keys(Run.objects.filter(project=project)) == ["a"]
    assert keys(discarded_runs(project)) == ["gone before"]


def test_key_of_a_project_is_free_at_once():
    first = make_run("a").project
    discard_projects(Project.objects.all())
    make_run("a")

    back = restore_project(find_discarded_project(local_user(), first.pk))

    assert back.key == "proj-2"
    assert sorted(run.project.key for run in Run.objects.all()) == ["proj", "proj-2"]


def test_name_in_a_namespace_steps_aside():
    first = Project.objects.create(key="n~p", name="p", namespace="n")
    discard_projects(Project.objects.all())
    Project.objects.create(key="n~p", name="p", namespace="n")

    back = restore_project(first)

    assert (back.key, back.name) == ("n~p-2", "p-2")


def test_run_of_a_discarded_project_does_not_come_back_alone():
    project = make_run().project
    discard_projects(Project.objects.all())

    with pytest.raises(NotPermitted):
        restore_runs(discarded_runs(project))


def test_owners_and_administrators_may_restore_a_project():
    owner, second, editor, admin = map(make_person, ["alice", "anna", "bob", "admin"])
    admin.is_superuser = True
    project = Project.objects.create(key="proj", name="proj", owner=owner, is_public=True)
    share(project, second, Role.OWNER)
    share(project, editor, Role.EDITOR)
    discard_projects(Project.objects.all())

    may = [discarded_projects(user).count() for user in (owner, second, editor, admin)]

    assert may == [1, 1, 0, 1]
    with pytest.raises(NotFound):
        find_discarded_project(editor, project.pk)


def test_what_was_restored_is_not_restored_again():
    project = make_run().project
    discard_projects(Project.objects.all())
    restore_project(project)

    with pytest.raises(NotFound):
        restore_project(project)
    assert restore_runs(Run.everything.all()) == []


def test_emptied_trash_frees_what_it_said(store):
    run = make_full_run("a")
    make_full_run("kept")
    discard_runs(Run.objects.filter(key="a"))
    told = weigh_runs(discarded_runs(run.project))

    assert empty_trash(run.project) == told

    assert list(Run.everything.values_list("key", flat=True)) == ["kept"]
    assert len([path for path in store.rglob("*") if path.is_file()]) == 1
    assert MetricPoint.objects.count() == 1


def test_what_has_been_there_long_enough_is_purged():
    old = make_full_run("old")
    discard_runs(Run.objects.all())
    Run.everything.update(deleted_at=timezone.now() - MONTH)
    make_full_run("new")
    discard_runs(Run.objects.all())
    make_run("kept")

    weight = purge_trash()

    assert (weight.point_count, weight.file_count) == (3, 1)
    assert keys(discarded_runs(old.project)) == ["new"]
    assert purge_trash() == Weight()


def test_project_is_purged_with_all_its_runs(monkeypatch):
    monkeypatch.setattr(trash, "PURGED_AT_ONCE", 2)
    for key in "abc":
        make_full_run(key)
    discard_projects(Project.objects.all())

    assert purge_trash(now=timezone.now() + MONTH).point_count == 9

    assert (Project.everything.count(), Run.everything.count()) == (0, 0)


def test_without_a_trash_things_go_at_once(settings):
    settings.TRASH_DAYS = 0
    make_full_run("a")
    make_full_run("b")

    assert discard_runs(Run.objects.filter(key="a")).moment is None
    assert discard_projects(Project.objects.all()).weight.point_count == 3

    assert (Project.everything.count(), Run.everything.count()) == (0, 0)


def test_deletion_that_was_cut_short_is_finished_later(monkeypatch, store):
    make_full_run("a")
    monkeypatch.setattr(deletion, "_delete", lambda runs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        deletion.delete_projects(Project.objects.all())
    monkeypatch.undo()

    assert (Run.objects.count(), Project.objects.count()) == (0, 0)
    assert discarded_projects(local_user()).count() == 0
    assert Run.everything.get().deleted_at == DOOMED
    purge_trash()
    assert (Project.everything.count(), Run.everything.count()) == (0, 0)
    assert [path for path in store.rglob("*") if path.is_file()] == []


def test_points_and_lines_go_piece_by_piece(monkeypatch):
    monkeypatch.setattr(deletion, "ROWS_AT_ONCE", 2)
    run = make_run()
    log_lines(run, *"abcde")
    for step in range(5):
        log_points(run, {"loss": [1.0]}, first_step=step)

    with CaptureQueriesContext(connection) as queries:
        deletion.delete_runs(Run.objects.all())

    for model in (MetricPoint, LogLine):
        start = f'DELETE FROM "{model._meta.db_table}"'
        pieces = [one["sql"] for one in queries if one["sql"].startswith(start)]
        assert len(pieces) == 4  # of two, two and one; and what Django looks for beside each run
        assert model.objects.count() == 0


def test_what_is_restored_at_that_moment_is_not_purged(monkeypatch):
    """Between the look at what is due and its deletion."""
    alone, project = make_full_run("a", "other").project, make_full_run("b").project
    discard_runs(Run.objects.filter(key="a"))
    discard_projects(Project.objects.filter(pk=project.pk))
    really = {name: getattr(trash, name) for name in ("delete_runs", "delete_projects")}

    def delete_runs(runs):
        restore_runs(discarded_runs(alone))
        return really["delete_runs"](runs)

    def delete_projects(projects):
        for one in Project.everything.filter(deleted_at__gt=DOOMED):
            restore_project(one)
        return really["delete_projects"](projects)

    monkeypatch.setattr(trash, "delete_runs", delete_runs)
    monkeypatch.setattr(trash, "delete_projects", delete_projects)

    assert purge_trash(now=timezone.now() + MONTH) == Weight()

    assert sorted(keys(Run.objects.all())) == ["a", "b"]
    assert Artifact.objects.count() == MetricPoint.objects.count() == 2


@pytest.mark.parametrize("kind", ["runs", "project"])
def test_restoring_many_takes_no_more_queries(kind):
    project = make_run("first").project
    counts = []
    for size in (1, 3):
        for number in range(size):
            make_run(f"{size}-{number}")
        if kind == "runs":
            discard_runs(Run.objects.all())
        else:
            discard_projects(Project.objects.all())
        with CaptureQueriesContext(connection) as queries:
            if kind == "runs":
                restore_runs(discarded_runs(project))
            else:
                restore_project(find_discarded_project(local_user(), project.pk))
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert Run.objects.count() == 5
