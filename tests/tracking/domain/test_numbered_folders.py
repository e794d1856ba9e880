import pytest

from tests.factories import make_run
from tracking.domain.access import local_user
from tracking.domain.moving import move_runs
from tracking.domain.numbered_folders import open_folder
from tracking.errors import InvalidInput
from tracking.models import Folder, Run

pytestmark = pytest.mark.django_db


def test_folder_has_one_number_for_ever():
    run = make_run()
    project = run.project

    top = open_folder(project, "a")
    below = open_folder(project, "b", parent=top)
    in_run = open_folder(project, "a", parent=run)
    deeper = open_folder(project, "b/c", parent=in_run)

    assert [(one.path, one.run) for one in (top, below, in_run, deeper)] == [
        ("a", None), ("a/b", None), ("a", run), ("a/b/c", run),
    ]  # fmt: skip
    assert open_folder(project, "b", parent=top) == below
    assert Folder.objects.count() == 4


def test_folder_of_a_run_keeps_its_number_where_the_run_is_moved():
    run, elsewhere = make_run(), make_run(project="elsewhere").project
    folder = open_folder(run.project, "a", parent=run)
    move_runs(Run.objects.filter(pk=run.pk), elsewhere, user=local_user())

    assert open_folder(elsewhere, "a", parent=run) == folder


@pytest.mark.parametrize("name", ["..", "a/../b", "a\nb", "x" * 251, "y/" * 501])
def test_names_that_lead_elsewhere_are_refused(name):
    with pytest.raises(InvalidInput):
        open_folder(make_run().project, name)
    assert Folder.objects.count() == 0
