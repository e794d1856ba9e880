import json
import os
from pathlib import Path
from typing import Any

import pytest
from runyard.dash.counters import StreamWords

WORDS = {"description": "d", "tags": ["t"], "metadata": {"a": 1}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metadata.json"


def read(path: Path) -> dict[str, Any]:
    """Without the times, which must be there."""
    document = json.loads(path.read_text())
    del document["createdAt"], document["updatedAt"]
    assert isinstance(document, dict)
    return document


def describe(count: int, following: int | None = None) -> dict[str, Any]:
    counted = {"totalDataPoints": count, "nextIndex": count if following is None else following}
    return {"metricId": "local-metric-train", "name": "train", **WORDS, **counted}


def test_each_row_changes_the_numbers_where_they_stand(path: Path) -> None:
    words = StreamWords(path, "train", WORDS)
    words.write(1, is_anew=True)
    inode = path.stat().st_ino

    for following in (9, 10, 10**12):
        words.write(following, is_anew=False)

        assert read(path) == describe(following)
    words.close()
    assert path.stat().st_ino == inode


def test_words_of_the_original_stay_and_its_numbers_are_put_right(path: Path) -> None:
    found = describe(7, 5) | {"description": "its own", "createdAt": "2020-01-01T00:00:00Z"}
    path.write_text(json.dumps(found | {"extra": 1}))
    words = StreamWords(path, "train", WORDS)

    words.write(6, is_anew=True)
    words.write(7, is_anew=False)
    words.close()

    assert read(path) == describe(9, 7) | {"description": "its own", "extra": 1}
    assert json.loads(path.read_text())["createdAt"] == "2020-01-01T00:00:00Z"


def test_closed_file_is_opened_again_and_known(path: Path) -> None:
    words = StreamWords(path, "train", WORDS)
    words.write(1, is_anew=True)
    inode = path.stat().st_ino

    words.close()
    words.write(2, is_anew=False)
    words.close()

    assert (read(path), path.stat().st_ino) == (describe(2), inode)


@pytest.mark.parametrize("is_closed", [True, False])
def test_replaced_file_is_not_written_into_blindly(path: Path, is_closed: bool) -> None:
    words = StreamWords(path, "train", WORDS)
    words.write(1, is_anew=True)
    if is_closed:
        words.close()
    other = path.with_name("other")
    other.write_text(json.dumps(describe(1) | {"more": "x" * 500}))
    other.replace(path)

    words.write(2, is_anew=False)
    words.close()

    assert read(path) == describe(2) | {"more": "x" * 500}


def test_replaced_file_that_a_backup_keeps_is_not_written_to(path: Path) -> None:
    words = StreamWords(path, "train", WORDS)
    words.write(1, is_anew=True)
    backup, other = path.with_name("backup"), path.with_name("other")
    backup.hardlink_to(path)
    other.write_bytes(path.read_bytes())
    other.replace(path)

    words.write(2, is_anew=False)
    words.close()

    assert (read(path), read(backup)) == (describe(2), describe(1))


def test_deleted_and_damaged_files_are_made_anew(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = StreamWords(path, "train", WORDS)
    words.write(1, is_anew=True)
    path.unlink()
    words.write(2, is_anew=False)
    deleted = read(path)
    path.write_text('{"name"')

    words.write(3, is_anew=True)
    words.close()

    assert (deleted, read(path)) == (describe(2), describe(3))
    assert "metadata.json is damaged" in caplog.text
    assert sorted(os.listdir(path.parent)) == ["metadata.json", "metadata.json.damaged"]  # noqa: PTH208
