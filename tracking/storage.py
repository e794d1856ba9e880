"""Where the bytes of artifacts lie."""

import os
import uuid
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage


class DurableFileStorage(FileSystemStorage):
    """Files on disk that appear under their name whole, and survive a power cut once saved."""

    # Django documents _save for storages to override; its type stubs leave it out.
    def _save(self, name: str, content: "File[bytes]") -> str:
        draft = Path(self.path(f"incoming/{uuid.uuid4().hex}"))
        final = Path(self.path(name))
        try:
            super()._save(str(draft.relative_to(self.location)), content)  # type: ignore[misc]
            _sync(draft)
            final.parent.mkdir(parents=True, exist_ok=True)
            draft.replace(final)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        for folder in final.parents:
            _sync(folder)
            if folder == Path(self.location):
                break
        return name


def _sync(path: Path) -> None:
    """Have the disk hold what was written to this file or folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
