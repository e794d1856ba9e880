"""The file that somebody names for the output of a command."""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from runyard.drafts import drafted

STREAMS = (Path("/dev"), Path("/proc"))  # what is there is another program's, even a plain file


@contextlib.contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """A plain file is there when it is whole, and not before; devices and pipes get what comes.

    Raises: OSError, with the name as it was given.
    """
    target = Path(os.path.realpath(path))  # a link stays one
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    draft = ""
    try:
        if _is_stream(path):
            with path.open("ab") as file:
                yield file
            return
        with drafted(target) as place:
            draft = str(place)
            with place.open("wb") as file:
                yield file
            if target.exists():
                shutil.copymode(target, place)
    except OSError as error:
        if error.errno is None or error.filename not in {draft, None}:
            raise  # about something else
        raise type(error)(error.errno, error.strerror, str(path)) from None


def _is_stream(path: Path) -> bool:
    """Whether it cannot be replaced."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) or any(one in path.absolute().parents for one in STREAMS)
