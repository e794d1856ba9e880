"""Files of runs: the only code that touches file storage.

Works with any Django storage. A file is stored before its row is written and removed after its row
is gone, so that no row ever names a file that is not there.
"""

import hashlib
import logging
import mimetypes
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from tracking.domain import audit, writer
from tracking.domain.quotas import take_room
from tracking.domain.runs import revise_run
from tracking.domain.values import (
    check_file_name,
    clean_file_path,
    clean_map,
    clean_tags,
    clean_text,
)
from tracking.enums import ArtifactCategory
from tracking.errors import AlreadyExists, FileTooLarge, InvalidInput, NotFound, StoreAway
from tracking.models import Artifact, Run, make_file_id
from tracking.storage import make_link

log = logging.getLogger(__name__)

TYPES = mimetypes.MimeTypes()  # Python's own table: the same on every machine
UNKNOWN_TYPE = "application/octet-stream"
# Numbers of a client's own, in milliseconds: the greater ones are projects, folders and runs.
FILE_IDS = range(1, 10**18)
DROPPED_AT_ONCE = 8  # a project has thousands, and a store far away takes its time for each


class Words(TypedDict, total=False):
    """What people say of a file; None leaves it as it is."""

    description: str | None
    category: str | None
    tags: list[str] | None
    bindrs: list[str] | None
    metadata: dict[str, Any] | None


NO_WORDS = Words(description="", category="", metadata={})


def store_artifact(
    run: Run,
    content: "File[bytes]",
    *,
    name: str,
    path: str = "",
    uid: int | None = None,
    checksum: str = "",
    **words: Unpack[Words],
) -> Artifact:
    """Keep a file as `name` in the folder `path`, in place of an older one. Streams; never in memory.

    The bytes that are there already are not stored again: repeating a call changes nothing. With a
    `uid`, made by the client, that holds for ever, also when the file was replaced or deleted since.
    `checksum` is the sha256 that the bytes must have. Raises the run's revision. Not from inside a
    transaction: it waits for the writer. Raises: AlreadyExists (a uid of another file),
    FileTooLarge, InvalidInput, RunDeleted, StoreAway. Source: Tracker API, "Uploading Artifacts";
    ML-Dash, "Files".
    """
    place = {"path": clean_file_path(path), "name": check_file_name(name)}
    said = _clean_words(NO_WORDS | words)
    size_bytes, sha256 = _measure(content)
    _check_sum(checksum, sha256)
    lost_key = ""
    if uid is None:
        stored = run.artifacts.filter(**place, deleted_at=None).first()
        if stored and stored.sha256 == sha256 and has_file(stored):
            return _describe(stored, said)
    elif known := _find_known(run, uid, sha256):
        if not _is_lost(known):
            return known
        lost_key = known.storage_key
    facts = {"size_bytes": size_bytes, "sha256": sha256, "content_type": _guess_type(name)}
    take_room(run.project, size_bytes)
    return _keep(content, partial(_record, run, uid, lost_key), place | facts | said)


def _keep(
    content: "File[bytes]",
    record: Callable[[dict[str, Any]], tuple[Artifact, str]],
    fields: dict[str, Any],
) -> Artifact:
    """The file first, then its row; last goes the file that no row names any more."""
    storage_key = default_storage.save(_new_key(), content)
    try:
        artifact, unused_key = writer.write(partial(record, fields | {"storage_key": storage_key}))
    except BaseException:
        if not Artifact.objects.filter(storage_key=storage_key).exists():
            _drop_files([storage_key])
        raise
    if unused_key:
        _remove_files([unused_key])
    return artifact


def check_category(category: object) -> str:
    """One of ArtifactCategory, or nothing. Raises: InvalidInput."""
    if category and category not in ArtifactCategory.values:
        raise InvalidInput(
            f"Invalid category: {str(category)[:40]}."
            f" Must be one of: {', '.join(ArtifactCategory.values)}",
            field="category",
        )
    return str(category or "")


CLEAN: dict[str, Callable[[Any], Any]] = {
    "description": partial(clean_text, field="description"),
    "category": check_category,
    "tags": clean_tags,
    "bindrs": partial(clean_tags, field="bindrs"),
    "metadata": partial(clean_map, field="metadata"),
}


def _clean_words(words: Words) -> dict[str, Any]:
    """Those that are given. Raises: InvalidInput."""
    return {name: CLEAN[name](value) for name, value in words.items() if value is not None}


def check_size(size_bytes: int) -> None:
    """Raises: FileTooLarge."""
    if size_bytes > settings.MAX_ARTIFACT_BYTES:
        raise FileTooLarge(
            f"File too large: exceeds limit of {settings.MAX_ARTIFACT_BYTES} bytes", field="file"
        )


def check_file_id(text: object) -> int:
    """A client's own number for a file, in digits. Raises: InvalidInput."""
    digits = str(text)
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else 0
    if number not in FILE_IDS or digits != str(number):
        raise InvalidInput("id must be a whole number from 1 to 10^18 - 1, in digits.", field="id")
    return number


def open_artifact(artifact: Artifact) -> "File[bytes]":
    """The file, open for reading; the caller closes it. Raises: NotFound, StoreAway."""
    try:
        if artifact.deleted_at is None:
            return default_storage.open(artifact.storage_key, "rb")
    except FileNotFoundError:
        pass
    raise NotFound(f"The file of artifact '{artifact}' is not there any more.")


def find_link(artifact: Artifact) -> str:
    """Where anybody may fetch the file for the next minutes; "" where it is sent from here.

    Raises: NotFound, StoreAway.
    """
    link = make_link(default_storage, artifact.storage_key, name=artifact.name)
    if link and not has_file(artifact):
        raise NotFound(f"The file of artifact '{artifact}' is not there any more.")
    return link


def has_file(artifact: Artifact) -> bool:
    """Raises: StoreAway, which is no answer."""
    return artifact.deleted_at is None and default_storage.exists(artifact.storage_key)


def _is_lost(artifact: Artifact) -> bool:
    return artifact.deleted_at is None and not has_file(artifact)


def describe_artifact(artifact: Artifact, **words: Unpack[Words]) -> None:
    """Replace what people say of a file. Raises: InvalidInput."""
    given = _clean_words(words)
    if not given:
        return
    for key, value in given.items():
        setattr(artifact, key, value)
    with transaction.atomic():
        stored = Artifact.objects.filter(pk=artifact.pk).values(*given).first()
        audit.note_change(artifact, stored or given, given)
        artifact.save(update_fields=[*given, "updated_at"])
        revise_run(artifact.run_id, is_alive=False)


@transaction.atomic
def withdraw_artifact(artifact: Artifact) -> None:
    """Free the bytes of a file; its row stays and says when. Raises: NotFound, if it is so already."""
    moment = timezone.now()
    there = Artifact.objects.filter(pk=artifact.pk, deleted_at=None)
    if not there.update(deleted_at=moment):
        raise NotFound(f"The file of artifact '{artifact}' is not there any more.")
    artifact.deleted_at = moment
    audit.note_deletions([artifact])
    revise_run(artifact.run_id, is_alive=False)
    _remove_files([artifact.storage_key])


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
    files = list(artifacts.filter(deleted_at=None).values_list("storage_key", "size_bytes"))
    _remove_files([storage_key for storage_key, _ in files])
    return sum(size_bytes for _, size_bytes in files)


def _measure(content: "File[bytes]") -> tuple[int, str]:
    """Size in bytes and sha256, piece by piece. Raises: FileTooLarge."""
    size_bytes, digest = 0, hashlib.sha256()
    for chunk in content.chunks():
        size_bytes += len(chunk)
        check_size(size_bytes)
        digest.update(chunk)
    return size_bytes, digest.hexdigest()


def _check_sum(expected: str, sha256: str) -> None:
    """Raises: InvalidInput."""
    if expected and expected.lower() != sha256:
        raise InvalidInput(
            f"The file came as sha256 {sha256}, not {expected[:64]}; send it again.",
            field="checksum",
        )


def _new_key() -> str:
    """Two levels of folders keep each of them small."""
    key = uuid.uuid4().hex
    return f"{key[:2]}/{key[2:4]}/{key}"


def _guess_type(name: str) -> str:
    """From the name, never from what the client says; a compressed file is just bytes."""
    kind, encoding = TYPES.guess_type(name)
    return kind if kind and not encoding else UNKNOWN_TYPE


def _record(
    run: Run, uid: int | None, lost_key: str, fields: dict[str, Any]
) -> tuple[Artifact, str]:
    """The row, and the key that is not used any more. The run's row lock lets uploads take turns.

    `lost_key`: a file that the store was found to have lost. Nobody asks it from in here: all that
    is logged would wait for its answer.
    """
    revise_run(run.pk)
    if uid is not None and (known := _find_known(run, uid, fields["sha256"])):
        is_lost = known.deleted_at is None and known.storage_key == lost_key
        return _heal(known, fields["storage_key"]) if is_lost else (known, fields["storage_key"])
    place = {"path": fields["path"], "name": fields["name"]}
    replaced = run.artifacts.filter(**place, deleted_at=None).first()
    if replaced:
        replaced.deleted_at = timezone.now()
        replaced.save(update_fields=["deleted_at"])
    artifact = _insert(uid, {"run": run, **fields})
    return artifact, replaced.storage_key if replaced else ""


def _insert(uid: int | None, fields: dict[str, Any]) -> Artifact:
    """Under a free id if none is given. Raises: AlreadyExists."""
    while True:
        new_uid = make_file_id() if uid is None else uid
        if uid is not None:  # what lies in the trash takes no number from anybody
            in_trash = Artifact.objects.filter(uid=uid, run__deleted_at__isnull=False)
            in_trash.update(uid=make_file_id())
        artifact, is_new = Artifact.objects.get_or_create(uid=new_uid, defaults=fields)
        if is_new:
            return artifact
        if uid is not None:  # another run has taken it this very moment
            raise AlreadyExists(_taken(uid))


def _find_known(run: Run, uid: int, sha256: str) -> Artifact | None:
    """The file that was stored under this number before. Raises: AlreadyExists, if it is another."""
    known = Artifact.objects.filter(uid=uid, run__deleted_at=None).first()
    if known and (known.run_id, known.sha256) != (run.pk, sha256):
        raise AlreadyExists(_taken(uid))
    return known


def _taken(uid: int) -> str:
    return f"The id {uid} belongs to another file; make a new one."


def _heal(known: Artifact, storage_key: str) -> tuple[Artifact, str]:
    """Bytes that the store has lost are there again."""
    known.storage_key = storage_key
    known.save(update_fields=["storage_key"])
    return known, ""


def _describe(artifact: Artifact, words: dict[str, Any]) -> Artifact:
    """The same bytes again, perhaps with other words."""
    if all(getattr(artifact, field) == value for field, value in words.items()):
        return artifact
    for field, value in words.items():
        setattr(artifact, field, value)
    writer.write(partial(_save_words, artifact, [*words]))
    return artifact


def _save_words(artifact: Artifact, fields: list[str]) -> None:
    artifact.save(update_fields=[*fields, "updated_at"])
    revise_run(artifact.run_id)


def _remove_files(keys: Sequence[str]) -> None:
    """Now, or once the transaction commits."""
    transaction.on_commit(partial(_drop_files, keys), robust=True)


def _drop_files(keys: Sequence[str]) -> None:
    """The rows are gone already: what a store that is away keeps, is left to be swept out later."""
    with ThreadPoolExecutor(DROPPED_AT_ONCE) as pool:
        errors = [error for error in pool.map(_drop_file, keys) if error]
    if errors:
        log.warning("%d files stay until checkstore --mend: %s", len(errors), errors[0])


def _drop_file(key: str) -> Exception | None:
    try:
        default_storage.delete(key)
    except (StoreAway, OSError) as error:
        return error
    return None
