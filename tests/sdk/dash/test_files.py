import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runyard.dash.records import RANDOM_BITS, FileEntry, make_file_id
from runyard.dash.store import DashStore
from runyard.errors import DamagedFile


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "model.pt"
    path.write_bytes(b"weights")
    return path


def save(store: DashStore, source: Path, folder: str = "/models", **words: Any) -> dict[str, Any]:
    return store.save_file(source, FileEntry(make_file_id(), folder, "m.json", **words))


def saved_names(store: DashStore) -> list[str]:
    files = store.home / "files"
    return sorted(str(path.relative_to(files)) for path in files.rglob("m.json*"))


def test_ids_grow_with_time_and_are_decimal() -> None:
    ids = [make_file_id() for _ in range(3)]

    assert all(
        int(text) >> RANDOM_BITS == pytest.approx(int(ids[0]) >> RANDOM_BITS, abs=1000)
        for text in ids
    )
    assert 1_700_000_000_000 < int(ids[0]) >> RANDOM_BITS < 10**18 >> RANDOM_BITS


def test_saved_file_is_copied_and_listed_as_the_original_does(
    store: DashStore, source: Path
) -> None:
    words = {"description": "d", "tags": ["t"], "bindrs": ["b"], "metadata": {"n": np.int64(1)}}

    saved = save(store, source, **words)

    assert saved == {
        "id": saved["id"],
        "experimentId": "proj/alice/proj/a/exp",
        "path": "/models",
        "filename": "m.json",
        **words,
        "contentType": "application/json",
        "sizeBytes": 7,
        "checksum": hashlib.sha256(b"weights").hexdigest(),
        "uploadedAt": saved["uploadedAt"],
        "updatedAt": saved["uploadedAt"],
        "deletedAt": None,
    }
    assert store.list_files() == [saved]
    assert saved_names(store) == [f"models/{saved['id']}/m.json"]


def test_root_is_a_path_too(store: DashStore, source: Path) -> None:
    saved = save(store, source, "/")

    assert saved["path"] == "/"
    assert saved_names(store) == [f"{saved['id']}/m.json"]


def test_same_path_and_name_replaces(store: DashStore, source: Path) -> None:
    save(store, source)
    other = save(store, source, "/elsewhere")
    source.write_bytes(b"better")

    new = save(store, source)

    assert store.list_files() == [new, other]
    assert saved_names(store) == sorted(
        [f"elsewhere/{other['id']}/m.json", f"models/{new['id']}/m.json"]
    )


def test_fetch_copies_what_was_saved(
    store: DashStore, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = save(store, source)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    by_name = store.fetch_file(saved["id"], None)
    into_folder = store.fetch_file(saved["id"], tmp_path)
    renamed = store.fetch_file(saved["id"], tmp_path / "other.bin")

    assert [path.relative_to(tmp_path).as_posix() for path in (by_name, into_folder, renamed)] == [
        *("work/m.json", "m.json", "other.bin")
    ]
    assert {path.read_bytes() for path in (by_name, into_folder, renamed)} == {b"weights"}


def test_damaged_file_leaves_nothing_behind(store: DashStore, source: Path, tmp_path: Path) -> None:
    saved = save(store, source)
    (store.home / "files" / "models" / saved["id"] / "m.json").write_bytes(b"wrong")
    target = tmp_path / "target"
    target.mkdir()
    (target / "m.json").write_text("older")

    with pytest.raises(DamagedFile, match=r"m\.json is not what was saved"):
        store.fetch_file(saved["id"], target)

    assert {path.name: path.read_text() for path in target.iterdir()} == {"m.json": "older"}


def test_update_changes_words_and_nothing_else(store: DashStore, source: Path) -> None:
    saved = save(store, source, description="d", tags=["t"])

    updated = store.update_file(saved["id"], {"tags": ["new"], "id": "0", "filename": "x"})

    assert updated == saved | {"tags": ["new"], "updatedAt": updated["updatedAt"]}
    assert updated["updatedAt"] > saved["updatedAt"]
    assert store.list_files() == [updated]


def test_delete_hides_a_file_and_keeps_its_bytes(store: DashStore, source: Path) -> None:
    saved = save(store, source)

    deleted = store.delete_file(saved["id"])

    assert deleted == {"id": saved["id"], "deletedAt": deleted["deletedAt"]}
    assert deleted["deletedAt"] > saved["uploadedAt"]
    assert store.list_files() == []
    assert saved_names(store) == [f"models/{saved['id']}/m.json"]


def test_unknown_and_deleted_files_are_not_found(
    store: DashStore, source: Path, tmp_path: Path
) -> None:
    file_id = save(store, source)["id"]
    store.delete_file(file_id)

    for unknown in (file_id, "1"):
        with pytest.raises(FileNotFoundError):
            store.fetch_file(unknown, tmp_path / "x")
        with pytest.raises(FileNotFoundError):
            store.update_file(unknown, {"tags": []})
        with pytest.raises(FileNotFoundError):
            store.delete_file(unknown)


def test_vanished_source_leaves_nothing_behind(store: DashStore, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save(store, tmp_path / "gone")

    assert store.list_files() == []
    assert saved_names(store) == []


def test_full_disk_leaves_nothing_behind(
    store: DashStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    kept = save(store, source)
    monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(OSError, match="No space left"):
        save(store, source)

    monkeypatch.undo()
    assert store.list_files() == [kept]
    assert saved_names(store) == [f"models/{kept['id']}/m.json"]
    assert sorted(os.listdir(store.home / "files")) == [  # noqa: PTH208 -- no drafts either
        *(".files_metadata.json", ".files_metadata.lock", "models")
    ]


def test_unserialisable_words_are_refused_before_anything_is_copied(
    store: DashStore, source: Path
) -> None:
    with pytest.raises(TypeError, match=r"metadata\['x'\]"):
        save(store, source, metadata={"x": object()})

    assert os.listdir(store.home / "files") == []  # noqa: PTH208 -- names of hidden files too


def test_damaged_list_is_kept_and_begun_anew(
    store: DashStore, source: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = store.home / "files" / ".files_metadata.json"
    path.write_text('{"files": [')

    assert store.list_files() == []
    saved = save(store, source)

    assert store.list_files() == [saved]
    assert path.with_name(".files_metadata.json.damaged").read_text() == '{"files": ['
    assert "is damaged" in caplog.text


def test_entry_that_points_elsewhere_is_not_followed(
    store: DashStore, source: Path, tmp_path: Path
) -> None:
    save(store, source)
    path = store.home / "files" / ".files_metadata.json"
    document = json.loads(path.read_text())
    document["files"][0] |= {"id": "1", "path": "/../../../.."}
    path.write_text(json.dumps(document))

    with pytest.raises(ValueError, match=r"'\.\.'"):
        store.fetch_file("1", tmp_path / "x")
