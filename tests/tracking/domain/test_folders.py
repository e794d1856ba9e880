import pytest

from tests.factories import make_run
from tracking.domain.folders import count_by_folder, in_folder
from tracking.domain.runs import archive_runs
from tracking.models import Run

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", ["bench", "fine", "other", "plain", "rate", "upper"]),
        ("sweeps", ["fine", "rate"]),
        ("sweeps/lr", ["fine", "rate"]),
        ("sweeps/lr/fine", ["fine"]),
        ("Sweeps", ["upper"]),
        ("sweeps/l", []),
        ("100%_", ["other"]),
        ("%", []),
    ],
)
def test_a_folder_has_the_runs_below_it(path: str, expected: list[str]) -> None:
    for key, folder in [
        ("plain", ""),
        ("rate", "sweeps/lr"),
        ("fine", "sweeps/lr/fine"),
        ("upper", "Sweeps/lr"),
        ("bench", "sweeps-2"),
        ("other", "100%_/a"),
    ]:
        make_run(key, folder=folder)

    assert sorted(run.key for run in in_folder(Run.objects.all(), path)) == expected


def test_folders_are_counted_without_archived_runs() -> None:
    project = make_run("a", folder="x").project
    make_run("b", folder="x")
    make_run("c", folder="x/y")
    make_run("d")
    make_run("old", folder="z")
    archive_runs(Run.objects.filter(key="old"))

    assert count_by_folder(project) == {"": 1, "x": 2, "x/y": 1}
