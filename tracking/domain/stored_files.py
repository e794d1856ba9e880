"""Whether the store of files and the database name the same ones."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.core.files.storage import default_storage
from django.db.models.functions import Substr
from django.utils import timezone

from tracking.models import Artifact
from tracking.storage import StoredFile, drop_unfinished, list_files, list_unfinished

# Only what the server has named itself is ever removed: others may use the folder or the bucket.
OURS = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{32}|incoming/[0-9a-f]{32}")
FOLDER_LENGTH = 2
GROWN_OLD = timedelta(days=1)  # by then a file has got its row, or never will


@dataclass(frozen=True, slots=True)
class Fault:
    """`where` it is, `what` is wrong, and whether it was mended."""

    where: str
    what: str
    is_mended: bool = False


def check_files(*, mend: bool = False) -> Iterator[Fault]:
    """Files that no artifact names, after a day; with `mend` they are removed. And artifacts whose
    file is gone or cut short, which nobody can mend. Folder by folder, so in little memory.

    Raises: StoreAway.
    """
    for folder in sorted(_folders_there() | _folders_named()):
        there = {file.key: file for file in list_files(default_storage, folder)}
        named = set()
        rows = Artifact.objects.filter(deleted_at=None, storage_key__startswith=folder)
        for artifact in rows.select_related("run__project").order_by("pk").iterator():
            named.add(artifact.storage_key)
            yield from _check_file(artifact, there.get(artifact.storage_key))
        for key in there.keys() - named:
            yield from _sweep(there[key], mend)
    for upload in list_unfinished(default_storage):
        yield from _sweep(upload, mend)


def _folders_there() -> set[str]:
    try:
        return set(default_storage.listdir("")[0])
    except FileNotFoundError:  # nobody has stored a file yet
        return set()


def _folders_named() -> set[str]:
    rows = Artifact.objects.filter(deleted_at=None).order_by()
    folders = rows.values_list(Substr("storage_key", 1, FOLDER_LENGTH), flat=True)
    return set(folders.distinct())


def _check_file(artifact: Artifact, file: StoredFile | None) -> Iterator[Fault]:
    where = f"{artifact.run.project.key}/{artifact.run.key}/{artifact}"
    if file and file.size_bytes != artifact.size_bytes:
        text = f"the artifact's file has {file.size_bytes} bytes, not {artifact.size_bytes}"
        yield Fault(where, text)
    elif file is None and _is_lost(artifact):
        yield Fault(where, "the artifact's file is gone")


def _is_lost(artifact: Artifact) -> bool:
    """It may have come after the list of files was made, or have been deleted since."""
    if default_storage.exists(artifact.storage_key):
        return False
    return Artifact.objects.filter(pk=artifact.pk, deleted_at=None).exists()


def _sweep(file: StoredFile, mend: bool) -> Iterator[Fault]:
    if not OURS.fullmatch(file.key) or file.modified_at > timezone.now() - GROWN_OLD:
        return
    if mend and file.upload_id:
        drop_unfinished(default_storage, file)
    elif mend:
        default_storage.delete(file.key)
    what = (
        "an upload that never ended"
        if file.upload_id
        else f"no artifact has these {file.size_bytes} bytes"
    )
    yield Fault(file.key, what, mend)
