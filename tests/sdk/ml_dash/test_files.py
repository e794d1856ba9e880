import hashlib
import json
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
from ml_dash import Experiment, StorageError


def names(experiment: Experiment, **options: Any) -> list[str]:
    return [entry["filename"] for entry in experiment.files(**options).list()]


def test_saved_file_is_told_at_once_and_as_it_is_later(experiment: Experiment, here: Path) -> None:
    (here / "weights").write_bytes(b"weights")

    words = {"description": "d", "bindrs": ["b"]}
    told = experiment.files("a/b", tags=["t"]).save(local_path="weights", **words)
    (later,) = experiment.files.list()

    times = ("uploadedAt", "updatedAt")
    assert all(told.pop(name) and later.pop(name) for name in times)
    assert later == told
    assert told.pop("id").isdigit()
    assert told.pop("experimentId")
    assert told == {
        "path": "/a/b",
        "filename": "weights",
        "description": "d",
        "tags": ["t"],
        "bindrs": ["b"],
        "contentType": "application/octet-stream",
        "sizeBytes": 7,
        "checksum": hashlib.sha256(b"weights").hexdigest(),
        "metadata": None,
        "deletedAt": None,
    }


def test_content_is_saved_in_its_form(experiment: Experiment, here: Path) -> None:
    files = experiment.files
    files.save_text("ü", to="a.txt")
    files.save_blob(b"\0\xff", to="b.bin")
    files.save_json({"x": float("nan")}, to="sub/c.json")
    files("sub").save_pkl([1, 2], to="deep/d.pkl")
    files.save({"y": 1}, to="e.json")
    files.save(b"z", to="f")

    paths = {f"{one['path']}|{one['filename']}": one["id"] for one in files.list()}
    found = {
        place: Path(files(file_id=file_id).download(to=here / str(number))).read_bytes()
        for number, (place, file_id) in enumerate(paths.items())
    }
    assert pickle.loads(found.pop("/sub/deep|d.pkl")) == [1, 2]
    assert found == {
        "/|a.txt": "ü".encode(),
        "/|b.bin": b"\0\xff",
        "/sub|c.json": b'{\n  "x": NaN\n}',
        "/|e.json": b'{\n  "y": 1\n}',
        "/|f": b"z",
    }


def test_much_can_be_said_of_a_file(experiment: Experiment) -> None:
    """The answer to its upload says it again."""
    words = {"metadata": {"text": "é" * 1_000_000}, "tags": ["a,b", "[c]"]}

    experiment.files.save_text("", to="a", **words)
    experiment.files.save_text("", to="b")
    experiment.flush()

    found = {one["filename"]: one for one in experiment.files.list()}
    assert sorted(found) == ["a", "b"]
    assert {key: found["a"][key] for key in words} == words


def test_same_name_in_the_same_place_is_replaced(experiment: Experiment) -> None:
    first = experiment.files("m").save_text("1", to="x.txt")
    second = experiment.files("m").save_text("2", to="x.txt")

    assert [entry["id"] for entry in experiment.files.list()] == [second["id"]]
    assert experiment.files("m/x.txt").read_text() == "2"
    assert not experiment.files(file_id=first["id"]).exists()


def test_files_are_found_by_place_tag_and_pattern(experiment: Experiment) -> None:
    experiment.files("m", tags=["a", "b"]).save_text("1", to="x.txt")
    experiment.files("m/n", tags=["c"]).save_text("2", to="y.pt")
    experiment.files("mn").save_text("3", to="z.pt")

    assert names(experiment) == ["x.txt", "y.pt", "z.pt"]
    assert names(experiment, path="m") == names(experiment, prefix="/m/") == ["x.txt", "y.pt"]
    assert names(experiment, tags=["b", "c"]) == ["x.txt", "y.pt"]
    assert names(experiment, path="m", tags=["c"]) == ["y.pt"]
    assert [entry["filename"] for entry in experiment.files.list("*.pt")] == ["y.pt", "z.pt"]
    assert [entry["filename"] for entry in experiment.files("m").list("n/*")] == ["y.pt"]
    assert experiment.files("m/x.txt").exists()
    assert not experiment.files("m/nothing").exists()


def test_files_are_fetched_by_path_and_pattern(experiment: Experiment, here: Path) -> None:
    experiment.files("m").save_text("1", to="x.txt")
    experiment.files("m").save_text("2", to="y.txt")

    assert experiment.files("m/x.txt").download() == str(here / "x.txt")
    assert experiment.files.download("m/y.txt", to="z") == "z"
    assert experiment.files.download("m/*.txt", to=here / "all") == [
        *(str(here / "all" / name) for name in ("x.txt", "y.txt")),
    ]
    assert (here / "z").read_text() == (here / "all" / "y.txt").read_text() == "2"
    assert experiment.files("m/x.txt").download(to="new/folder/x") == "new/folder/x"
    assert experiment.files.download("nothing*") == []
    for nothing in ("nothing", "x.txt"):
        with pytest.raises(FileNotFoundError, match=f"no file '{nothing}'"):
            experiment.files.download(nothing)


def test_words_of_a_file_change_but_for_those_not_given(experiment: Experiment) -> None:
    saved = experiment.files("m", tags=["t"], metadata={"a": 1}).save_text("1", to="x")

    updated = experiment.files(file_id=saved["id"], description="new", bindrs=["v"]).update()

    words = ("description", "tags", "bindrs", "metadata", "checksum")
    assert [updated[word] for word in words] == [
        *("new", ["t"], ["v"], {"a": 1}, saved["checksum"]),
    ]
    assert experiment.bindrs("v").list()[0]["id"] == saved["id"]
    assert experiment.bindrs("w").list() == []


def test_files_are_deleted_by_path_and_pattern(experiment: Experiment) -> None:
    for name in ("x.txt", "y.txt", "z.pt"):
        experiment.files("m").save_text("1", to=name)

    gone = experiment.files.delete("*.txt")

    assert isinstance(gone, list)
    assert [entry.keys() for entry in gone] == [{"id", "deletedAt"}] * 2
    assert experiment.files("m/z.pt").delete().keys() == {"id", "deletedAt"}  # type: ignore[union-attr]
    with pytest.raises(FileNotFoundError):
        experiment.files("m/z.pt").delete()
    assert names(experiment) == []


def test_name_is_taken_at_its_word_where_one_file_is_meant(local: Experiment) -> None:
    for folder in ("a", "b"):
        local.files(folder).save_text(folder, to="m[1].pt")
    local.files("c").save_text("c", to="a")

    assert local.files("a/m[1].pt").read_text() == "a"
    for call in (lambda: local.files.delete("m[1].pt"), local.files("a").delete):
        with pytest.raises(FileNotFoundError):
            call()
    local.files("b").delete("m[1].pt")
    assert names(local) == ["m[1].pt", "a"]


def test_file_can_be_saved_again_under_another_name(experiment: Experiment) -> None:
    saved = experiment.files("m").save_text("1", to="x.txt")
    experiment.files("n").duplicate(saved, to="y.txt")

    assert experiment.files("n/y.txt").read_text() == "1"
    assert len(experiment.files.list()) == 2


def test_odd_names_come_through(experiment: Experiment) -> None:
    odd = """a "b", 'c' ü 模型; \\x%2F.txt"""
    saved = experiment.files("fo lder/ü").save_text("1", to=odd, tags=["a,b"])

    (later,) = experiment.files.list()
    assert (later["path"], later["filename"], later["tags"]) == ("/fo lder/ü", odd, ["a,b"])
    assert experiment.files(file_id=saved["id"]).read_text() == "1"


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda files: files.save("nothing"), ValueError, "File not found: nothing"),
        (lambda files: files.save("."), ValueError, r"Not a file: \."),
        (lambda files: files.save(), ValueError, "Which file"),
        (lambda files: files.save(b"x"), ValueError, "has no name: pass to="),
        (lambda files: files.save(object(), to="x"), TypeError, "use save_json"),
        (lambda files: files.save_text(b"x", to="x"), TypeError, "takes text"),
        (lambda files: files.save_blob("x", to="x"), TypeError, "takes bytes"),
        (lambda files: files.save_json(object(), to="x"), TypeError, "JSON cannot hold"),
        (lambda files: files.save_text("x", to="../x"), ValueError, r"'\.\.'"),
        (lambda files: files("..").save_text("x", to="x"), ValueError, r"'\.\.'"),
        (lambda files: files.save_text("x", to="a\n"), ValueError, "control characters"),
        (lambda files: files.save_text("x", to=""), ValueError, "empty"),
        (lambda files: files.save_text("x", to="x", color=1), TypeError, "Unknown: color"),
        (lambda files: files(description="x" * 100_001), ValueError, "description has 100001"),
        (lambda files: files(tags="x"), TypeError, "tags must be a list"),
        (lambda files: files(metadata={"a": object()}), TypeError, "metadata"),
        (lambda files: files.download(), ValueError, "Which file"),
        (lambda files: files.delete(), ValueError, "Which file"),
        (lambda files: files("m").update(), ValueError, r"needs an id: files\(file_id=…\)"),
        (lambda files: files(file_id="7").update(), FileNotFoundError, "7"),
        (lambda files: files(file_id="7").delete(), FileNotFoundError, "7"),
        (lambda files: files(file_id="7").download(), FileNotFoundError, "7"),
        (lambda files: files.save_video([], to="x.mp4"), ValueError, "at least one frame"),
        (lambda files: files.save_video([1], to="x.avi"), ValueError, r"\.mp4 or \.gif"),
        (lambda files: files.save_fig("x", to="x.png"), TypeError, "a figure of matplotlib"),
    ],
)
def test_misuse_is_refused(local: Experiment, call: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        call(local.files)

    assert local.files.list() == []


@pytest.mark.parametrize(
    ("call", "missing", "extra"),
    [
        (lambda files: files.save_torch({}, to="m.pt"), "torch", "torch"),
        (lambda files: files.save_fig(to="x.png"), "matplotlib.pyplot", "plots"),
        (lambda files: files.save_image([[0]], to="x.png"), "PIL.Image", "images"),
        (lambda files: files.save_video([[[0]]], to="x.mp4"), "imageio.v3", "video"),
    ],
)
def test_missing_library_says_what_to_install(
    local: Experiment, call: Any, missing: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(ImportError, match=rf"pip install 'runyard\[{extra}\]'"):
        call(local.files)

    assert local.files.list() == []


def test_local_file_that_was_changed_is_not_handed_out(local: Experiment, here: Path) -> None:
    file_id = local.files.save_text("good", to="x.txt")["id"]
    (copy,) = (here / ".dash").rglob(f"{file_id}/x.txt")
    copy.write_text("evil")

    with pytest.raises(StorageError, match="checksum differs"):
        local.files(file_id=file_id).download(to=here / "target")

    assert [path.name for path in here.iterdir()] == [".dash"]


def test_list_of_files_is_on_disk_as_the_original_has_it(local: Experiment) -> None:
    saved = local.files("m").save_text("1", to="x")

    listed = json.loads(Path(".dash", local.prefix, "files/.files_metadata.json").read_text())
    assert listed == {"files": [saved]}
