"""The files of this installation, from where they were kept to where they shall be."""

from collections.abc import Iterable

from django.core.files.storage import Storage

from tracking.domain.copying.files import Files, copy_files, count_files
from tracking.domain.copying.transfer import ROW_WORTH, Meter, Tell
from tracking.models import Artifact

HERE = "default"  # the database's alias


def move_files(source: Storage, target: Storage, tell: Tell) -> tuple[Files, list[str]]:
    """Copy each artifact's file, and compare it with what was uploaded; returns what is wrong too.

    Nothing is removed from the source. Call it again after a break: what is there stays.
    Raises: StoreAway.
    """
    count, size_bytes = count_files(HERE)
    files = copy_files(HERE, source, target, Meter("files", count * ROW_WORTH + size_bytes, tell))
    return files, [
        *(f"{_name(artifact)}: its file is not there" for artifact in _find(files.missing)),
        *(f"{_name(artifact)}: its file has other bytes" for artifact in _find(files.wrong)),
    ]


def _find(numbers: Iterable[int]) -> Iterable[Artifact]:
    """Those that nobody has deleted meanwhile."""
    there = Artifact.objects.filter(pk__in=list(numbers), deleted_at=None).order_by("pk")
    return there.select_related("run__project")


def _name(artifact: Artifact) -> str:
    return f"{artifact.run.project.key}/{artifact.run.key}/{artifact}"
