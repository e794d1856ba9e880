import fcntl
from pathlib import Path

import pytest
from runyard import life

from tests.sdk.jobs import deny_writing


def test_run_is_alive_while_one_of_its_processes_is(tmp_path: Path) -> None:
    path = tmp_path / "r.lock"
    before = life.is_held(path)
    first, second = life.hold(path), life.hold(path)
    assert first is not None
    assert second is not None

    both = life.is_held(path)
    life.release(path, first)
    one = life.is_held(path)
    life.release(path, second)

    assert (before, both, one, life.is_held(path)) == (False, True, True, False)
    assert not path.exists(), "the last one takes it away"


def test_lock_left_by_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "r.lock"
    path.touch()

    assert not life.is_held(path)


def test_watcher_does_not_disturb_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "r.lock"
    fd = life.hold(path)
    assert fd is not None

    assert [life.is_held(path) for _ in range(3)] == [True] * 3

    life.release(path, fd)


def test_file_of_another_that_took_the_name_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.lock"
    first = life.hold(path)
    assert first is not None
    path.unlink()
    second = life.hold(path)
    assert second is not None

    life.release(path, first)

    assert life.is_held(path)
    life.release(path, second)


def test_lock_that_a_backup_keeps_is_taken_away_by_its_own_last_holder(tmp_path: Path) -> None:
    path = tmp_path / "r.lock"
    first = life.hold(path)
    assert first is not None
    (tmp_path / "backup").hardlink_to(path)
    path.unlink()
    second = life.hold(path)
    assert second is not None

    life.release(path, first)

    assert life.is_held(path)
    life.release(path, second)


def test_lock_of_another_user_is_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.lock"
    path.touch()
    deny_writing(monkeypatch, path)

    fd = life.hold(path)

    assert fd is not None
    assert life.is_held(path)
    life.release(path, fd)


def test_somebody_who_looks_at_the_same_moment_is_no_sign_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as another watcher does while it looks
        monkeypatch.setattr("runyard.life.time.sleep", lambda _: fcntl.flock(file, fcntl.LOCK_UN))

        assert not life.is_held(path)
