"""Files that are there when they are whole."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4


@contextlib.contextmanager
def drafted(target: Path) -> Iterator[Path]:
    """A path beside the target to write to. In the end it becomes the target; after an exception
    nothing is left of it. Raises: OSError."""
    draft = target.with_name(f".{uuid4().hex}.part")  # the target's name may have no room for more
    try:
        yield draft
        draft.replace(target)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
