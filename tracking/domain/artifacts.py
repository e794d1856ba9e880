"""Files of runs: the only code that touches file storage.

Works with any Django storage. A file is stored before its row is written and removed after its row
is gone, so that no row ever names a file that is not there.
"""

import hashlib
import mimetypes
import uuid
from functools import partial
from typing import Any, TypedDict

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from tracking.domain import audit, writer
from tracking.domain.runs import revise_run
from tracking.domain.values import check_artifact_name, clean_map, clean_text
from tracking.enums import ArtifactCategory
from tracking.errors import FileTooLarge, InvalidInput, NotFound
from tracking.models import Artifact, Run

TYPES = mimetypes.MimeTypes()  # Python's own table: the same on every machine
UNKNOWN_TYPE = "application/octet-stream"


class _Words(TypedDict):
    """What people say of a file."""

    description: str
    category: str
    metadata: dict[str, Any]


class _Facts(_Words):
    name: str
    size_bytes: int
    sha256: str
    content_type: str
    storage_key: str


def store_artifact(
    run: Run,
    content: "File[bytes]",
    *,
    name: str,
    description: str = "",
    category: str = "",
    metadata: dict[str, Any] | None = None,
) -> Artifact:
    """Keep a file under `name`, in place of an older one of that name. Streams; never in memory.

    The bytes that are there already are not stored again: repeating a call changes nothing. Raises
    the run's revision. Not from inside a transaction: it waits for the writer. Raises: FileTooLarge,
    InvalidInput, RunDeleted. Source: Tracker API, "Uploading Artifacts".
    """
    check_artifact_name(name)
    words = _clean_words(description, category, metadata or {})
    size_bytes, sha256 = _measure(content)
    stored = run.artifacts.filter(path="", name=name, deleted_at=None).first()
    if stored and stored.sha256 == sha256 and default_storage.exists(stored.storage_key):
        return _describe(stored, words)
    storage_key = default_storage.save(_new_key(), content)
    facts = _Facts(
        name=name,
        size_bytes=size_bytes,
        sha256=sha256,
        content_type=_guess_type(name),
        storage_key=storage_key,
        **words,
    )
    try:
        artifact, replaced = writer.write(partial(_record, run, facts))
    except BaseException:
        if not Artifact.objects.filter(storage_key=storage_key).exists():
            default_storage.delete(storage_key)
        raise
    if replaced:
        _remove_file(replaced.storage_key)
    return artifact


def _clean_words(description: str, category: str, metadata: dict[str, Any]) -> _Words:
    return _Words(
        description=clean_text(description, "description"),
        category=check_category(category),
        metadata=clean_map(metadata, "metadata"),
    )


def check_category(category: str) -> str:
    """One of ArtifactCategory, or nothing. Raises: InvalidInput."""
    if category and category not in ArtifactCategory.values:
        raise InvalidInput(
            f"Invalid category: {category[:40]}."
            f" Must be one of: {', '.join(ArtifactCategory.values)}",
            field="category",
        )
    return category


def check_size(size_bytes: int) -> None:
    """Raises: FileTooLarge."""
    if size_bytes > settings.MAX_ARTIFACT_BYTES:
        raise FileTooLarge(
            f"File too large: exceeds limit of {settings.MAX_ARTIFACT_BYTES} bytes", field="file"
        )


def open_artifact(artifact: Artifact) -> "File[bytes]":
    """The file, open for reading; the caller closes it. Raises: NotFound."""
    try:
        if artifact.deleted_at is None:
            return default_storage.open(artifact.storage_key, "rb")
    except FileNotFoundError:
        pass
    raise NotFound(f"The file of artifact '{artifact.name}' is not there any more.")


def has_file(artifact: Artifact) -> bool:
    return artifact.deleted_at is None and default_storage.exists(artifact.storage_key)


def describe_artifact(
    artifact: Artifact,
    *,
    description: str | None = None,
    category: str | None = None,
    tags: list[str] | None = None,
) -> None:
    """Replace what people say of a file; None leaves it as it is. Raises: InvalidInput."""
    check_category(category or "")
    changes = {"description": description, "category": category, "tags": tags}
    given = {key: value for key, value in changes.items() if value is not None}
    for key, value in given.items():
        setattr(artifact, key, value)
    with transaction.atomic():
        stored = Artifact.objects.filter(pk=artifact.pk).values(*given).first()
        audit.note_change(artifact, stored or given, given)
        artifact.save(update_fields=[*given])
        revise_run(artifact.run_id, is_alive=False)


@transaction.atomic
def delete_artifacts(artifacts: QuerySet[Artifact]) -> int:
    """Delete files of any runs, and all that is known of them; returns the bytes this frees."""
    chosen = Artifact.objects.filter(pk__in=list(artifacts.values_list("pk", flat=True)))
    for run_id in set(chosen.values_list("run_id", flat=True)):
        revise_run(run_id, is_alive=False)
    audit.note_deletions(chosen.select_related("run__project"))
    freed_bytes = remove_files(chosen)
    chosen.delete()
    return freed_bytes


def remove_files(artifacts: QuerySet[Artifact]) -> int:
    """Remove the files once this transaction commits; returns their bytes.

    The rows are the caller's to delete, in the same transaction.
    """
    files = artifacts.filter(deleted_at=None).values_list("storage_key", "size_bytes")
    total_bytes = 0
    for storage_key, size_bytes in files.iterator():
        _remove_file(storage_key)
        total_bytes += size_bytes
    return total_bytes


def _measure(content: "File[bytes]") -> tuple[int, str]:
    """Size in bytes and sha256, piece by piece. Raises: FileTooLarge."""
    size_bytes, digest = 0, hashlib.sha256()
    for chunk in content.chunks():
        size_bytes += len(chunk)
        check_size(size_bytes)
        digest.update(chunk)
    return size_bytes, digest.hexdigest()


def _new_key() -> str:
    """Two levels of folders keep each of them small."""
    key = uuid.uuid4().hex
    return f"{key[:2]}/{key[2:4]}/{key}"


def _guess_type(name: str) -> str:
    """From the name, never from what the client says; a compressed file is just bytes."""
    kind, encoding = TYPES.guess_type(name)
    return kind if kind and not encoding else UNKNOWN_TYPE


def _record(run: Run, facts: _Facts) -> tuple[Artifact, Artifact | None]:
    """The new row, and the one it replaces. The revision's row lock lets uploads take turns."""
    revise_run(run.pk)
    replaced = run.artifacts.filter(path="", name=facts["name"], deleted_at=None).first()
    if replaced:
        replaced.deleted_at = timezone.now()
        replaced.save(update_fields=["deleted_at"])
    return Artifact.objects.create(run=run, **facts), replaced


def _describe(artifact: Artifact, words: _Words) -> Artifact:
    """The same bytes again, perhaps with other words."""
    if all(getattr(artifact, field) == value for field, value in words.items()):
        return artifact
    for field, value in words.items():
        setattr(artifact, field, value)
    writer.write(partial(_save_words, artifact))
    return artifact


def _save_words(artifact: Artifact) -> None:
    artifact.save(update_fields=[*_Words.__annotations__])
    revise_run(artifact.run_id)


def _remove_file(storage_key: str) -> None:
    """Now, or once the transaction commits. A store that fails is logged: the row is gone anyway."""
    transaction.on_commit(partial(default_storage.delete, storage_key), robust=True)
