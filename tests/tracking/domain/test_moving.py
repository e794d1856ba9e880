import pytest

from tests.factories import keep_file, log_points, make_batch, make_run, start_event, take_in
from tests.people import make_person, share
from tracking.domain import events
from tracking.domain.access import local_user
from tracking.domain.moving import move_runs
from tracking.domain.series import read_news
from tracking.errors import NotPermitted
from tracking.models import Project, Run

pytestmark = pytest.mark.django_db


def test_run_goes_with_all_that_lies_in_it(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    run, there = make_run(), make_run("other", "there").project
    log_points(run, {"loss": [1.0, 2.0]})
    artifact = keep_file(run, "a.txt", b"text")
    revision = Run.objects.get(pk=run.pk).revision

    assert move_runs(Run.objects.filter(pk=run.pk), there, user=local_user()) == 1

    moved = Run.objects.get(pk=run.pk)
    assert (moved.project, moved.key, moved.uid) == (there, "run-1", run.uid)
    assert moved.revision == revision + 1
    assert moved.metrics.get().count == 2
    assert moved.artifacts.get() == artifact
    assert (tmp_path / artifact.storage_key).read_bytes() == b"text"
    assert not Run.objects.filter(project__key="proj").exists()


def test_taken_keys_get_numbers():
    there = make_run("run-1", "there").project
    make_run("run-1", "a")
    make_run("run-1", "b")
    make_run("run-2", "b")

    assert move_runs(Run.objects.all(), there, user=local_user()) == 3

    moved = there.runs.order_by("pk").values_list("key", flat=True)
    assert list(moved) == ["run-1", "run-1-2", "run-1-3", "run-2"]


def test_runs_that_are_there_already_stay_as_they_are():
    run = make_run()
    before = Run.objects.values().get()

    assert move_runs(Run.objects.all(), run.project, user=local_user()) == 0

    assert Run.objects.values().get() == before


def test_training_goes_on_in_the_other_project():
    there = make_run("other", "there").project
    run = take_in(make_batch(1, 1, events=start_event())).run
    assert run is not None

    move_runs(Run.objects.filter(pk=run.pk), there, user=local_user())
    ack = take_in(make_batch(2, 3))

    assert ack.acked_seq == 3
    assert Run.objects.get(pk=run.pk).project == there


def test_watchers_are_told(monkeypatch, django_capture_on_commit_callbacks):
    run, there = make_run(), make_run("other", "there").project
    told = []
    monkeypatch.setattr(events, "_send", lambda *hint: told.append(hint))

    with django_capture_on_commit_callbacks(execute=True):
        move_runs(Run.objects.filter(pk=run.pk), there, user=local_user())

    revision = Run.objects.get(pk=run.pk).revision
    assert told == [(run.pk, revision)]
    news = read_news(run.pk, revision - 1)
    assert news is not None
    assert news.run.project == there


@pytest.mark.parametrize("may_change", ["proj", "there"])
def test_who_may_not_change_both_projects_moves_nothing(may_change):
    run, there = make_run(), make_run("other", "there").project
    alice = make_person("alice")
    share(Project.objects.get(key=may_change), alice)

    with pytest.raises(NotPermitted):
        move_runs(Run.objects.filter(pk=run.pk), there, user=alice)

    assert Run.objects.get(pk=run.pk).project.key == "proj"


def test_editor_of_both_projects_may():
    run, there = make_run(), make_run("other", "there").project
    alice = make_person("alice")
    share(run.project, alice)
    share(there, alice)

    assert move_runs(Run.objects.filter(pk=run.pk), there, user=alice) == 1
