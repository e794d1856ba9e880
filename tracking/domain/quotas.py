"""How much room a project may take. Points are always taken in: only files are refused.

What a project takes is summed up at most once in FRESH_S by a process, which adds the files that it
has let in since. So it may be exceeded by what other processes let in meanwhile, and by points.
"""

import threading
import time
from dataclasses import dataclass

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from tracking.domain.weights import weigh_bytes
from tracking.errors import FileTooLarge, InvalidInput
from tracking.models import Project, Run

FRESH_S = 60.0
PROJECTS_REMEMBERED = 1_000
INT63 = range(2**63)

_lock = threading.Lock()


@dataclass(slots=True)
class _Taken:
    size_bytes: int
    stale_at: float


_taken: dict[int, _Taken] = {}


@dataclass(frozen=True, slots=True)
class Quota:
    """`limit_bytes`: 0 where there is none."""

    taken_bytes: int
    limit_bytes: int

    @property
    def is_exceeded(self) -> bool:
        return bool(self.limit_bytes) and self.taken_bytes >= self.limit_bytes

    @property
    def percent(self) -> int:
        return min(100, 100 * self.taken_bytes // self.limit_bytes) if self.limit_bytes else 0


def limit_of(project: Project) -> int:
    """Bytes; 0: no limit."""
    own = project.quota_bytes
    return int(settings.PROJECT_QUOTA_BYTES if own is None else own)


def find_quota(project: Project) -> Quota:
    """No query for what was summed up within FRESH_S. The trash counts: it takes room."""
    return Quota(_find_taken(project.pk).size_bytes, limit_of(project))


def look_at_quota(project: Project, taken_bytes: int) -> Quota:
    """Of a sum that was just made."""
    return Quota(taken_bytes, limit_of(project))


def take_room(project: Project, size_bytes: int) -> None:
    """For a file that is about to be kept. Raises: FileTooLarge."""
    limit = limit_of(project)
    if not limit:
        return
    taken = _find_taken(project.pk)
    with _lock:
        if taken.size_bytes + size_bytes > limit:
            raise FileTooLarge(
                f"The quota of project '{project.key}' is used up:"
                f" {_readable(taken.size_bytes)} of {_readable(limit)} are taken, and the file has"
                f" {_readable(size_bytes)}. Delete what is not needed, and empty the trash.",
                field="file",
            )
        taken.size_bytes += size_bytes


def forget_room() -> None:
    """What was deleted counts no more: look again."""
    with _lock:
        _taken.clear()


def set_quota(project: Project, quota_bytes: int | None) -> None:
    """None: the server's own; 0: without a limit. Raises: InvalidInput."""
    if quota_bytes is not None and quota_bytes not in INT63:
        raise InvalidInput("A quota is a number of bytes.", field="quota")
    project.quota_bytes = quota_bytes
    project.save(update_fields=["quota_bytes", "updated_at"])


def _find_taken(project_id: int) -> _Taken:
    """The sum is not made under the lock: nobody waits for that of another project."""
    with _lock:
        found = _taken.get(project_id)
        if found and found.stale_at > time.monotonic():
            return found
        if found:
            found.stale_at = time.monotonic() + FRESH_S  # who comes meanwhile takes it as it is
        before = found.size_bytes if found else 0
    size_bytes = weigh_bytes(Run.everything.filter(project=project_id))
    with _lock:
        known = _taken.get(project_id)
        if known and known is not found:
            return known  # another thread was faster, and may have let in files since
        if len(_taken) >= PROJECTS_REMEMBERED:
            _taken.clear()
        let_in = found.size_bytes - before if found else 0
        fresh = _taken[project_id] = _Taken(size_bytes + let_in, time.monotonic() + FRESH_S)
        return fresh


def _readable(size_bytes: int) -> str:
    return filesizeformat(size_bytes).replace("\xa0", " ")
