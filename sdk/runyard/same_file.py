"""Whether an open file is still the one of its name."""

import os
from pathlib import Path


def is_at(fd: int, path: Path) -> bool:
    """A file that lost its name may have others: backups of hard links keep what was replaced."""
    try:
        there = os.stat(path)  # noqa: PTH116 -- with each line that is written
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # nobody can tell; what is open can be written to
        return True
    return os.path.samestat(os.fstat(fd), there)
