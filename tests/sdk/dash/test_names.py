import pytest
from runyard.dash.names import file_path, prefix_path, stream_name, stream_path


@pytest.mark.parametrize(
    ("prefix", "path"),
    [("alice/proj/exp", "alice/proj/exp"), ("/o/p//n/", "o/p/n"), ("日本/é x/1", "日本/é x/1")],
)
def test_prefix_is_a_path_below_the_root(prefix: str, path: str) -> None:
    assert str(prefix_path(prefix)) == path


@pytest.mark.parametrize(
    "prefix", ["", "//", "a/../b", "..", "a/./b", "a\0b", "a\nb", "a/" + "x" * 256]
)
def test_prefix_that_would_lead_elsewhere_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        prefix_path(prefix)


@pytest.mark.parametrize(
    ("stream", "path", "name"),
    [
        (None, "None", None),
        ("", "None", None),
        ("None", "None", None),
        ("train", "train", "train"),
        ("train/loss/", "train/loss", "train/loss"),
        ("a/None", "a/None", "a/None"),
    ],
)
def test_stream_has_a_directory(stream: str | None, path: str, name: str | None) -> None:
    found = stream_path(stream)

    assert (str(found), stream_name(found)) == (path, name)


@pytest.mark.parametrize(
    "stream",
    [
        "/etc",
        "..",
        "a/../../b",
        ".",
        "a\x1bb",
        "a/data.jsonl",
        "metadata.json/x",
        "\ud800",
        "x" * 256,
    ],
)
def test_stream_that_would_lead_elsewhere_is_refused(stream: str) -> None:
    with pytest.raises(ValueError, match=r"[Mm]etrics"):
        stream_path(stream)


def test_file_lies_under_its_path_and_id() -> None:
    assert str(file_path("/models/best", "12", "m.pt")) == "models/best/12/m.pt"
    assert str(file_path("/", "12", "m.pt")) == "12/m.pt"


@pytest.mark.parametrize(
    ("folder", "file_id", "name"),
    [("/../x", "1", "a"), ("/", "1/2", "a"), ("/", "..", "a"), ("/", "1", "../a"), ("/", "1", "")],
)
def test_file_that_would_lead_elsewhere_is_refused(folder: str, file_id: str, name: str) -> None:
    with pytest.raises(ValueError, match=r"path|file"):
        file_path(folder, file_id, name)
