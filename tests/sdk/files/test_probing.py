"""What is no plain file, or not to be looked into, is none; and nobody waits for it."""

import os
from pathlib import Path

import pytest
from runyard.files.probing import is_file, is_folder, measure, open_file


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(OSError, match="it is not a file"):
        open_file(tmp_path / "pipe")
    assert not is_file(tmp_path / "pipe")


def test_a_link_to_itself_is_nothing(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(link)

    [entry] = os.scandir(tmp_path)
    assert (is_file(link), is_folder(entry), measure(link)) == (False, False, 0)


def test_a_file_has_its_size(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")

    with open_file(tmp_path / "file") as file:
        assert (file.read(), measure(tmp_path / "file")) == (b"abc", 3)
