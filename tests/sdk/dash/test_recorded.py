"""Directories that the original client wrote, each number and word of them. `recorded/write.py` did it."""

import hashlib
import math
from pathlib import Path
from typing import Any

import pytest
from runyard.dash.reading import Experiment, find_experiments, read_experiment
from runyard.dash.records import About
from runyard.dash.store import DashStore

from tests.sdk.dash.recorded import write

RECORDED = Path(write.__file__).parent
VERSIONS = ("0.6.27", "0.11.0")


@pytest.fixture(params=VERSIONS)
def root(request: pytest.FixtureRequest) -> Path:
    return RECORDED / request.param


@pytest.fixture
def whole(root: Path) -> Experiment:
    return read_experiment(root / write.WHOLE, root)


def plain(row: dict[str, Any]) -> str:
    """To be compared: NaN is itself."""
    return str(sorted((name, value) for name, value in row.items() if name != "_ts"))


def test_all_experiments_are_found(root: Path) -> None:
    found = [str(path.relative_to(root)) for path in find_experiments(root)]

    assert found == [write.SHORT, write.AGAIN, write.CUT, write.WHOLE, write.INNER]


def test_what_an_experiment_is(whole: Experiment) -> None:
    assert whole.about == About(
        write.WHOLE, "alice", "vision", "sweeps/lr", "exp-1", **write.ABOUT, bindrs=write.BINDRS
    )
    assert whole.params == write.FLAT_PARAMS
    assert (whole.status, whole.problems) == (None, [])


def test_all_lines_are_there(whole: Experiment) -> None:
    lines = [line for _, line in whole.logs()]

    assert [
        (line["level"], line["message"], line.get("metadata", {})) for line in lines
    ] == write.LINES
    assert [line["sequenceNumber"] for line in lines] == list(range(len(write.LINES)))


def test_all_rows_are_there(whole: Experiment) -> None:
    streams = {stream.name: stream for stream in whole.streams()}
    rows = {name: [row for _, row in whole.rows(stream)] for name, stream in streams.items()}

    assert {name: [plain(row["data"]) for row in found] for name, found in rows.items()} == {
        **{name: [plain(row) for row in logged] for name, logged in write.ROWS.items()},
        "train/batch": [plain(write.SUMMARY)],
    }
    assert all([row["index"] for row in found] == [*range(len(found))] for found in rows.values())
    assert all(row["data"]["_ts"] > 1.7e9 for found in rows.values() for row in found)
    words = [(stream.description, stream.tags, stream.metadata) for stream in streams.values()]
    of_train = ("of a stream", ["t"], {"unit": "1"})
    nothing = (None, [], None)
    assert dict(zip(streams, words, strict=True)) == {
        **dict.fromkeys((None, "eval", "train/batch"), nothing),
        **dict.fromkeys(("train", "train/layer0"), of_train),
    }
    assert whole.problems == []


def test_all_entries_of_tracks_are_there(whole: Experiment) -> None:
    tracks = {
        track.name: [row["data"] for _, row in whole.track_rows(track)] for track in whole.tracks()
    }

    assert tracks == write.TRACKS


def test_all_files_are_there(whole: Experiment) -> None:
    files = list(whole.files())

    kept = {
        (file.entry["path"], file.entry["filename"]): file for file in files if not file.is_deleted
    }
    assert {name: file.path.read_bytes() for name, file in kept.items() if file.path} == write.FILES
    assert [(file.entry["path"], file.entry["filename"]) for file in files if file.is_deleted] == [
        write.DELETED
    ]
    for name, file in kept.items():
        assert file.entry["checksum"] == hashlib.sha256(write.FILES[name]).hexdigest()
        assert {key: file.entry[key] for key in write.FILE_WORDS} == write.FILE_WORDS
        assert file.entry["bindrs"] == write.BINDRS
    assert whole.problems == []


def test_experiments_that_were_continued_cut_or_lie_below_others(root: Path) -> None:
    read = {
        prefix: read_experiment(root / prefix, root)
        for prefix in (write.INNER, write.AGAIN, write.CUT, write.SHORT)
    }

    losses = {
        prefix: [row["data"]["loss"] for stream in found.streams() for _, row in found.rows(stream)]
        for prefix, found in read.items()
    }
    assert losses == {write.INNER: [1], write.AGAIN: [0, 1, 2], write.CUT: [0], write.SHORT: []}
    assert [line["message"] for _, line in read[write.AGAIN].logs()] == [
        f"time {i}" for i in range(3)
    ]
    assert [found.params for found in read.values()] == [{}, {"count": 2}, {"lr": 1}, {}]
    assert read[write.SHORT].about == About(
        write.SHORT, "alice", "short", "", "short", None, [], []
    )
    assert [found.problems for found in read.values()] == [[]] * 4


def test_store_goes_on_with_them(root: Path, tmp_path: Path) -> None:
    copy_tree(root, tmp_path)
    about = read_experiment(tmp_path / write.WHOLE, tmp_path).about
    store = DashStore(tmp_path)

    store.start(about)
    store.set_params({"lr": 0.3})
    store.append_row("train", {"loss": 7.0}, {})
    store.append_row("train/layer0/deeper", {"loss": 8.0}, {})
    store.finish("COMPLETED")

    whole = read_experiment(tmp_path / write.WHOLE, tmp_path)
    rows = {stream.name: [row for _, row in whole.rows(stream)] for stream in whole.streams()}
    assert [row["index"] for row in rows["train"]] == list(range(len(write.ROWS["train"]) + 1))
    assert rows["train"][-1]["data"] == {"loss": 7.0}
    assert rows["train/layer0/deeper"][0]["data"] == {"loss": 8.0}
    assert math.isnan(rows["train"][-3]["data"]["loss"])
    assert whole.params == {**write.FLAT_PARAMS, "lr": 0.3}
    assert (whole.status, whole.problems) == ("COMPLETED", [])
    assert len(store.list_files()) == len(write.FILES)


def copy_tree(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir(exist_ok=True)
        else:
            copy.write_bytes(path.read_bytes())


def test_recordings_say_nothing_of_where_they_were_made() -> None:
    texts = [path.read_text() for path in RECORDED.rglob("*.json*")]

    assert len(texts) == 66
    assert [text for text in texts if any(place in text for place in ("/tmp", "/home"))] == []
