"""Where the bytes of artifacts lie: on disk here, in a bucket in `tracking.bucket`."""

import errno
import os
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage

from tracking.errors import StoreAway

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class StoredFile(NamedTuple):
    """`upload_id`: of a file that is no file yet, for its upload was never completed."""

    key: str
    size_bytes: int
    modified_at: datetime
    upload_id: str = ""


def list_files(storage: Storage, folder: str) -> Iterator[StoredFile]:
    """All files below `folder`, in no order. Raises: StoreAway."""
    if listed := getattr(storage, "list_files", None):
        yield from listed(folder)
        return
    try:
        folders, names = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        key = f"{folder}/{name}"
        try:
            yield StoredFile(key, storage.size(key), storage.get_modified_time(key))
        except FileNotFoundError:
            continue  # it went meanwhile
    for name in folders:
        yield from list_files(storage, f"{folder}/{name}")


def list_unfinished(storage: Storage) -> Iterator[StoredFile]:
    """Uploads that neither came to their end nor were taken back. Raises: StoreAway."""
    if listed := getattr(storage, "list_unfinished", None):
        yield from listed()


def drop_unfinished(storage: Storage, file: StoredFile) -> None:
    storage.drop_unfinished(file)  # type: ignore[attr-defined]  # by one that has listed it


def make_link(storage: Storage, key: str, *, name: str) -> str:
    """An address that gives the file, to be saved as `name`, to anybody for a while; else ""."""
    link = getattr(storage, "make_link", None)
    return link(key, name=name) if link else ""


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
        except BaseException as error:
            draft.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                raise StoreAway("There is no room for files on the server's disk.") from error
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
