"""The files of artifacts, from one storage to another."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from django.core.files.base import File
from django.core.files.storage import Storage

from tracking.domain.copying.comparing import Counting
from tracking.models import Artifact

PART_BYTES = 1024**2


@dataclass(slots=True)
class Files:
    """What became of them. `missing` could not be read, `wrong` do not have the bytes they had."""

    count: int = 0
    size_bytes: int = 0
    missing: list[int] = field(default_factory=list)
    wrong: list[int] = field(default_factory=list)


class WrongBytes(Exception):
    """A file is not what was uploaded."""


class Checked(File):  # type: ignore[type-arg]
    """A file that breaks at its end if it is not as it was: what stores whole files has nothing then."""

    def __init__(self, file: IO[Any], name: str, sha256: str) -> None:
        super().__init__(file, name)
        self._sha256 = sha256

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for part in super().chunks(chunk_size or PART_BYTES):
            digest.update(part)
            yield part
        if digest.hexdigest() != self._sha256:
            raise WrongBytes(self.name)


def find_files(alias: str) -> Iterator[Artifact]:
    """The artifacts of a store that have a file, those of the trash too."""
    stored = Artifact.objects.using(alias).filter(deleted_at=None)
    yield from stored.order_by("pk").iterator(chunk_size=1_000)


def count_files(alias: str) -> tuple[int, int]:
    """How many there are, and their bytes."""
    sizes = list(
        Artifact.objects.using(alias).filter(deleted_at=None).values_list("size_bytes", flat=True)
    )
    return len(sizes), sum(sizes)


def copy_files(
    alias: str, source: Storage, target: Storage, counting: Counting, *, former: Path | None = None
) -> Files:
    """Copy the files that the store `alias` names; what is there already stays.

    A wrong one is not in `target` afterwards, unless that is a plain folder, which keeps what it was
    given. `former`: an earlier copy on disk, of which files are taken by a hard link; a file never
    changes under its name.
    """
    files = Files()
    for artifact in find_files(alias):
        key = artifact.storage_key
        if not (_is_there(target, artifact) or (former and _link(former / key, target, artifact))):
            try:
                _copy_file(source, target, artifact)
            except FileNotFoundError:
                files.missing.append(artifact.pk)
                continue
            except WrongBytes:
                files.wrong.append(artifact.pk)
                continue
        files.count += 1
        files.size_bytes += artifact.size_bytes
        counting.add("files", 1, artifact.size_bytes)
    return files


def _is_there(target: Storage, artifact: Artifact) -> bool:
    with suppress(FileNotFoundError):
        return target.size(artifact.storage_key) == artifact.size_bytes
    return False


def _link(former: Path, target: Storage, artifact: Artifact) -> bool:
    """Whether the file could be had for nothing."""
    with suppress(OSError):
        if former.stat().st_size == artifact.size_bytes:
            path = Path(target.path(artifact.storage_key))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.hardlink_to(former)
            return True
    return False


def _copy_file(source: Storage, target: Storage, artifact: Artifact) -> None:
    """Raises: FileNotFoundError, WrongBytes."""
    key = artifact.storage_key
    with source.open(key, "rb") as file:
        if target.exists(key):  # cut off, or another: `save` would choose another name
            target.delete(key)
        target.save(key, Checked(file, key, artifact.sha256))
