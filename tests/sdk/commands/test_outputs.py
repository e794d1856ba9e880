import os
import stat
import threading
from pathlib import Path

import pytest
from runyard.commands.outputs import written


def test_pipe_gets_what_comes_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()

    with written(pipe) as file:
        file.write(b"text")
    reader.join(10)

    assert got == [b"text"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_device_that_is_full_is_named_and_stays(tmp_path: Path) -> None:
    link = tmp_path / "out"
    link.symlink_to("/dev/full")

    with pytest.raises(OSError, match="No space left on device") as caught, written(link) as file:
        file.write(b"text")

    assert caught.value.filename == str(link)
    assert stat.S_ISCHR(link.stat().st_mode)


def test_link_stays_and_its_target_is_replaced_with_its_mode(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target = tmp_path / "there" / "runs.csv"
    target.write_text("older")
    target.chmod(0o600)
    link = tmp_path / "runs.csv"
    link.symlink_to("there/runs.csv")

    with written(link) as file:
        file.write(b"newer")
        assert target.read_text() == "older"

    assert link.is_symlink()
    assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("newer", 0o600)
    assert list(target.parent.iterdir()) == [target]


def test_link_that_leads_to_itself_stays(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to("loop")

    with pytest.raises(OSError, match="Too many levels") as caught, written(loop):
        pass

    assert caught.value.filename == str(loop)
    assert loop.is_symlink()


def test_file_that_cannot_be_made_is_called_as_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "runs.csv"

    with pytest.raises(FileNotFoundError) as caught, written(path):
        pass

    assert caught.value.filename == str(path)


def test_error_about_something_else_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, written(tmp_path / "x"):
        Path("/nowhere").read_bytes()

    assert str(caught.value.filename) == "/nowhere"
    assert list(tmp_path.iterdir()) == []
