import pytest

from tests.factories import keep_file, make_run
from tracking.domain import file_search
from tracking.domain.file_search import files_under, files_with_tags, fits, match_files
from tracking.errors import InvalidInput
from tracking.models import Artifact

FILES = ["a.pt", "models/a.pt", "models/best/a.pt", "models/best/B.json", "Models/c.pt"]


@pytest.fixture
def files(db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    run = make_run()
    for file in FILES:
        path, _, name = file.rpartition("/")
        keep_file(run, name, b"", path=path, tags=[name, "all"])
    return Artifact.objects.all()


def found(files) -> list[str]:
    return sorted(map(str, files))


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", FILES),
        ("/", FILES),
        ("/mod", ["models/a.pt", "models/best/a.pt", "models/best/B.json"]),
        ("models/best", ["models/best/a.pt", "models/best/B.json"]),
        ("/models/best/", ["models/best/a.pt", "models/best/B.json"]),
        ("models/be/", []),
        ("%", []),
    ],
)
def test_prefix_is_how_the_folder_begins(files, prefix, expected):
    assert found(files_under(files, prefix)) == sorted(expected)


@pytest.mark.parametrize(
    ("tags", "expected"), [([], FILES), (["a.pt", "nope"], FILES[:3]), (["nope"], []), (["a"], [])]
)
def test_any_of_the_tags_is_enough(files, tags, expected):
    assert found(files_with_tags(files, tags)) == sorted(expected)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.pt", ["a.pt", "models/a.pt", "models/best/a.pt", "Models/c.pt"]),
        ("**/a.pt", FILES[:3]),
        ("/a.pt", ["a.pt"]),
        ("models/*", ["models/a.pt"]),
        ("models/**", FILES[1:4]),
        ("**/best/**/?.json", ["models/best/B.json"]),
        ("[ab].pt", FILES[:3]),
        ("b.json", []),
        ("", []),
    ],
)
def test_patterns_are_those_of_shells(files, pattern, expected):
    assert found(match_files(files, pattern, limit=10)) == sorted(expected)


def test_found_files_come_newest_first_and_in_pieces(files):
    pages = [match_files(files, "*a*", offset=offset, limit=2) for offset in (0, 2)]

    assert [[*map(str, page)] for page in pages] == [
        ["models/best/a.pt", "models/a.pt"],
        ["a.pt"],
    ]


def test_no_more_than_the_newest_files_are_looked_at(files, monkeypatch):
    monkeypatch.setattr(file_search, "SEARCHED", 2)

    assert found(match_files(files, "**", limit=10)) == ["Models/c.pt", "models/best/B.json"]


@pytest.mark.parametrize("pattern", ["a\0", "x" * 501])
def test_patterns_have_bounds(pattern):
    with pytest.raises(InvalidInput):
        match_files(Artifact.objects.none(), pattern, limit=1)


def test_hostile_pattern_is_no_slower_than_another():
    """Backtracking would take longer than the universe has."""
    assert not fits(["a"] * 500, ["**", "a"] * 100 + ["b"])
    assert not fits(["a" * 250], ["*a" * 100 + "b"])
