import pytest

from tests.factories import keep_file, make_run
from tests.people import make_person, share
from tracking.api.ml_dash.ids import (
    experiment_id,
    find_experiment,
    find_node,
    folder_id,
    project_id,
)
from tracking.domain.access import local_user
from tracking.enums import Role
from tracking.errors import NotFound, NotPermitted
from tracking.models import Folder, Project

pytestmark = pytest.mark.django_db


@pytest.fixture
def nodes(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    run = make_run()
    folder = Folder.objects.create(project=run.project, path="a/b")
    file = keep_file(run, "a.txt", b"x")
    return {
        project_id(run.project): run.project,
        folder_id(folder): folder,
        experiment_id(run): run,
        str(run.uid): run,
        run.uid.hex: run,
        str(file.uid): file,
    }


def test_ids_are_texts_of_nineteen_digits(nodes):
    project = Project.objects.get()

    assert project_id(project) == f"1{project.pk:018d}"
    assert [len(text) for text in nodes] == [19, 19, 19, 36, 32, 16]


def test_each_node_is_found_by_its_id(nodes):
    assert {text: find_node(local_user(), text) for text in nodes} == nodes


@pytest.mark.parametrize(
    "text",
    ["", "x", "1", "0" * 19, "1" + "9" * 18, "2" + "9" * 18, "3" + "9" * 18, "9" * 30, "١" * 16,
     "-1", "1e5", "7\0", "0" * 32, "g" * 36],
)  # fmt: skip
def test_what_is_no_id_is_not_found(nodes, text):
    with pytest.raises(NotFound):
        find_node(local_user(), text)
    with pytest.raises(NotFound):
        find_experiment(local_user(), text)


def test_strangers_find_nothing_and_viewers_change_nothing(nodes):
    stranger, viewer = make_person("stranger"), make_person("viewer")
    share(Project.objects.get(), viewer, Role.VIEWER)

    for text, node in nodes.items():
        with pytest.raises(NotFound):
            find_node(stranger, text)
        with pytest.raises(NotPermitted):
            find_node(viewer, text, write=True)
        assert find_node(viewer, text) == node


def test_deleted_file_is_not_found(nodes):
    *_, (text, file) = nodes.items()
    type(file).objects.update(deleted_at="2026-01-01T00:00Z")

    with pytest.raises(NotFound):
        find_node(local_user(), text)
