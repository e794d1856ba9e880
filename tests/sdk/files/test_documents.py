"""Locks beside documents, whoever made them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from runyard import locks
from runyard.files.documents import locked

from tests.sdk.jobs import deny_writing


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize(("folder", "lock"), [(0o755, 0o644), (0o2775, 0o664), (0o1777, 0o666)])
@pytest.mark.usefixtures("usual_umask")
def test_lock_is_for_all_who_may_write_beside_it(tmp_path: Path, folder: int, lock: int) -> None:
    tmp_path.chmod(folder)

    with locked(tmp_path / ".lock"):
        pass

    assert stat.S_IMODE((tmp_path / ".lock").stat().st_mode) == lock


def test_lock_of_another_user_keeps_out_who_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".lock"
    path.touch()
    deny_writing(monkeypatch, path)

    with locked(path):
        monkeypatch.undo()
        assert locks.hold_lock(path) is None

    held = locks.hold_lock(path)
    assert held is not None
    locks.let_go(held)


def test_lock_that_cannot_be_used_is_said_and_gone_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / ".lock"
    path.touch()
    deny_writing(monkeypatch, path, denied=0)

    with locked(path), locked(path):
        pass

    assert "belongs to another user" in caplog.text


def test_directory_that_cannot_be_written_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".lock"
    deny_writing(monkeypatch, path)

    with pytest.raises(PermissionError), locked(path):
        pass
