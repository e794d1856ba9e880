"""What one does to a run: start it, describe it, end it."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from tracking.domain import audit, events
from tracking.domain.access import Caller, require_write
from tracking.domain.names import KEY_ROOM, free_key, make_key
from tracking.domain.packing import fold_queue
from tracking.domain.projects import (
    open_named_project,
    open_namespaced_project,
    open_project,
)
from tracking.domain.values import clean_tags
from tracking.enums import RunStatus, Source
from tracking.errors import AlreadyExists, RunDeleted
from tracking.models import SERIES_COLORS, Project, Run, User

PATH_SPACE = uuid.UUID("5bd0e9b2-6f4c-5f3c-9d55-0a1d5f3a2c11")  # any; it only must never change


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStart:
    """How a run begins, whatever surface says it; all of it checked before it comes here."""

    key: str
    name: str = ""  # what people read; the key, where there is none
    uid: uuid.UUID = field(default_factory=uuid.uuid4)
    source: str = Source.ASPARA
    config: dict[str, Any] = field(default_factory=dict)
    tags: list[str] | None = None
    notes: str | None = None
    environment: dict[str, Any] = field(default_factory=dict)
    folder: str = ""
    readme: str = ""
    bindrs: list[str] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)  # what the training says of itself
    resume: bool = False
    is_path: bool = False  # the uid alone says which run it is
    rename_if_taken: bool = False
    started_at: datetime | None = None


_is_past: ContextVar[bool] = ContextVar("is_past", default=False)


@contextmanager
def of_the_past(is_past: bool) -> Iterator[None]:
    """What is done inside was done before, and is no sign of life now."""
    before = _is_past.set(is_past)
    try:
        yield
    finally:
        _is_past.reset(before)


def open_run(
    project_key: str,
    start: RunStart,
    *,
    project_tags: list[str],
    user: Caller,
    project_name: str = "",
    namespace: str = "",
) -> tuple[Run, bool]:
    """As `start_run`, in a project that is created if there is none, and gets these tags too.

    With a `project_name` it is the caller's project of that name, whatever its key; with a
    `namespace` the one run that `namespace/project_name/folder/name` stands for.
    """
    if namespace:
        project = open_namespaced_project(namespace, project_name, user=user)
        return open_run_at_path(project, start, user=user)
    if project_name:
        project = open_named_project(project_name, user=user, tags=project_tags)
    else:
        project = open_project(project_key, user=user, tags=project_tags)
    return start_run(project, start, user=user)


@transaction.atomic
def start_run(project: Project, start: RunStart, *, user: Caller) -> tuple[Run, bool]:
    """Create the run, or join the one that is meant; tells whether it was created.

    A known `uid` joins that run. A taken key is resumed, renamed (`key-2`) or refused, as `start`
    says. Resuming merges the config, keeps tags and notes that are not given, notes the new
    environment, and makes the run running again. Raises: AlreadyExists,
    NotPermitted.
    """
    runs = Run.objects.select_for_update()
    if run := _find_by_uid(start.uid):
        require_write(user, run.project)  # it may have been moved to another project since
        return _rejoin(run, start, reopen=start.resume), False
    run = runs.filter(project=project, key=start.key).first()
    if run and start.resume and not start.is_path:
        return _rejoin(run, start, reopen=True), False
    if run and not (start.rename_if_taken or start.is_path):
        raise AlreadyExists("Run already exists")
    key = free_key(project.runs, start.key) if run else start.key
    return _create_run(project, start, key, user)


def _find_by_uid(uid: uuid.UUID) -> Run | None:
    """One in the trash keeps its records, not its uid: the next one is found by that."""
    run = Run.everything.select_for_update().filter(uid=uid).first()
    if run is None or run.deleted_at is None:
        return run
    Run.everything.filter(pk=run.pk).update(uid=uuid.uuid4())
    return None


def open_run_at_path(project: Project, start: RunStart, *, user: Caller) -> tuple[Run, bool]:
    """As `open_run` with a namespace, in a project that is known."""
    return start_run(project, _of_path(project, start), user=user)


def _of_path(project: Project, start: RunStart) -> RunStart:
    """A path stands for one run for ever, also when that is renamed or moved: it makes the uid."""
    name = start.name or start.key
    path = f"{start.folder}/{name}" if start.folder else name
    key = "~".join(make_key(part, "run") for part in path.split("/"))[:KEY_ROOM]
    uid = uuid.uuid5(PATH_SPACE, f"{project.pk}/{path}")
    return replace(start, uid=uid, key=key, name=name, is_path=True)


def _create_run(project: Project, start: RunStart, key: str, user: Caller) -> tuple[Run, bool]:
    now = timezone.now()
    run = Run.objects.create(
        project=project,
        uid=start.uid,
        key=key,
        name=start.name or key,
        source=start.source,
        config=start.config,
        tags=start.tags or [],
        notes=start.notes or "",
        folder=start.folder,
        readme=start.readme,
        bindrs=start.bindrs or [],
        metadata=_metadata_of(start),
        color=_next_color(project),
        created_by=user if isinstance(user, User) else None,
        started_at=start.started_at or now,
        last_seen_at=min(start.started_at or now, now) if _is_past.get() else now,
    )
    revise_run(run.pk)
    return run, True


def _next_color(project: Project) -> int:
    """Neighbours in a project differ: that of its newest run is followed by the next one."""
    newest = project.runs.order_by("-pk").values_list("color", flat=True).first()
    return 0 if newest is None else (newest + 1) % SERIES_COLORS


def _rejoin(run: Run, start: RunStart, *, reopen: bool) -> Run:
    run.config = run.config | start.config
    run.tags = run.tags if start.tags is None else start.tags
    run.notes = run.notes if start.notes is None else start.notes
    run.readme = start.readme or run.readme
    run.bindrs = run.bindrs if start.bindrs is None else start.bindrs
    news = _metadata_of(start)
    run.metadata = run.metadata | news if reopen else news | run.metadata
    if reopen:
        run.status, run.exit_code, run.ended_at = RunStatus.RUNNING, None, None
    described = ("config", "tags", "notes", "readme", "bindrs", "metadata")
    _save(run, *described, "status", "exit_code", "ended_at")
    return run


def _metadata_of(start: RunStart) -> dict[str, Any]:
    said = {"environment": start.environment, "metadata": start.metadata}
    return {key: value for key, value in said.items() if value}


def merge_config(run: Run, config: dict[str, Any]) -> None:
    _merge(run, "config", config)


def merge_summary(run: Run, summary: dict[str, Any]) -> None:
    _merge(run, "summary", summary)


@transaction.atomic
def _merge(run: Run, name: str, news: dict[str, Any]) -> None:
    """Merge key by key into what is stored now, not into what the caller read a while ago."""
    rows = Run.objects.select_for_update().filter(pk=run.pk)
    stored = rows.values_list(name, flat=True).first()
    if stored is None:
        raise RunDeleted("The run was deleted.")
    setattr(run, name, stored | news)
    _save(run, name)


@transaction.atomic
def update_run(
    run: Run,
    *,
    name: str | None = None,
    tags: list[str] | None = None,
    notes: str | None = None,
    readme: str | None = None,
    is_alive: bool = True,
) -> None:
    """Replace what is given; None leaves it as it is. `is_alive`: the training itself says so."""
    changes = {"name": name, "tags": tags, "notes": notes, "readme": readme}
    given = {key: value for key, value in changes.items() if value is not None}
    if given and not is_alive:
        stored = Run.objects.filter(pk=run.pk).values(*given).first()
        audit.note_change(run, stored or given, given)
    for key, value in given.items():
        setattr(run, key, value)
    _save(run, *given, is_alive=is_alive)


@transaction.atomic
def archive_runs(runs: QuerySet[Run], *, archived: bool = True) -> int:
    """Take the runs out of the lists, or bring them back; tells how many changed. Nothing is lost."""
    changing = runs.order_by("pk").filter(archived_at__isnull=archived)
    rows = changing.select_for_update(of=("self",))  # in the order in which all lock runs
    audit.note_changes(
        (run, {"archived": not archived}, {"archived": archived}) for run in audit.named(rows)
    )
    return changing.order_by().update(archived_at=timezone.now() if archived else None)


@transaction.atomic
def tag_runs(runs: QuerySet[Run], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> int:
    """Give each run these tags, take those away; tells how many runs changed. Raises: InvalidInput."""
    added, changed, noted = clean_tags(add), [], []
    rows = runs.order_by("pk").select_for_update(of=("self",))
    for run in audit.named(rows, "tags"):
        tags = clean_tags([tag for tag in run.tags if tag not in remove] + added)
        if tags != run.tags:
            noted.append((run, {"tags": run.tags}, {"tags": tags}))
            run.tags, run.updated_at = tags, timezone.now()
            changed.append(run)
    audit.note_changes(noted)
    Run.objects.bulk_update(changed, ["tags", "updated_at"], batch_size=100)
    return len(changed)


@transaction.atomic
def close_run(run: Run, *, status: RunStatus, username: str) -> None:
    """End the run by a person's word, which is no sign of life of the training.

    A run that has ended keeps its end and its exit code; one that fell silent ended with its last
    sign of life.
    """
    audit.note_change(run, {"status": run.status}, {"status": str(status)})
    finish_run(
        run,
        status=status,
        exit_code=run.exit_code,
        reason=f"Marked as {status} by {username}",
        ended_at=run.ended_at or (run.last_seen_at if run.is_stale else None),
        is_alive=False,
    )


@transaction.atomic
def finish_run(
    run: Run,
    *,
    status: RunStatus,
    exit_code: int | None = None,
    reason: str = "",
    ended_at: datetime | None = None,
    is_alive: bool = True,
    is_exact: bool = False,
) -> None:
    """End the run. Ending it again is allowed: the newest word counts.

    No run ends before it began, as clocks that differ would have it; unless the end `is_exact`.
    """
    if reason or not run.is_finished:  # of an earlier end nothing stays once the run went on
        run.metadata = _with_reason(run.metadata, reason)
    run.status, run.exit_code = status, exit_code
    run.ended_at = ended_at or timezone.now()
    if not (ended_at and is_exact):
        run.ended_at = max(run.ended_at, run.started_at)
    revision = _save(run, "status", "exit_code", "ended_at", "metadata", is_alive=is_alive)
    transaction.on_commit(lambda: fold_queue.note(run.pk, revision, ended=True))


def _with_reason(metadata: dict[str, Any], reason: str) -> dict[str, Any]:
    kept = {key: value for key, value in metadata.items() if key != "finish_reason"}
    return kept | ({"finish_reason": reason} if reason else {})


@transaction.atomic
def reopen_run(run: Run) -> None:
    """It goes on after all."""
    run.status, run.exit_code, run.ended_at = RunStatus.RUNNING, None, None
    _save(run, "status", "exit_code", "ended_at")


def _save(run: Run, *names: str, is_alive: bool = True) -> int:
    revision = revise_run(run.pk, is_alive=is_alive)  # first: it tells when the run is gone
    run.save(update_fields=[*names, "updated_at"])
    return revision


# One statement, because it is on the path of every batch; RETURNING saves the second.
REVISE = f"""
    UPDATE {Run._meta.db_table} SET revision = revision + 1,
        last_seen_at = COALESCE(%s, last_seen_at),
        unfolded = unfolded + %s, unfolded_points = unfolded_points + %s
    WHERE id = %s AND deleted_at IS NULL RETURNING revision
"""  # noqa: S608, SLF001 -- the table of our own model, by Django's documented Model _meta API


def revise_run(run_id: int, *, points: int = 0, is_alive: bool = True) -> int:
    """Raise the run's revision and note a sign of life; watchers hear of it after the commit.

    `points` is how many points this commit adds. `is_alive` is False where a person changes the
    run afterwards. Returns the new revision. Raises: RunDeleted.
    """
    seen_at = connection.ops.adapt_datetimefield_value(sign_of_life() if is_alive else None)
    with connection.cursor() as cursor:
        cursor.execute(REVISE, [seen_at, 1 if points else 0, points, run_id])
        row = cursor.fetchone()
    if row is None:
        raise RunDeleted("The run was deleted.")
    tell_revision(run_id, int(row[0]), has_points=points > 0)
    return int(row[0])


def sign_of_life() -> datetime | None:
    """Now; None for what was written in the past, by nobody knows whom."""
    return None if _is_past.get() else timezone.now()


def tell_revision(run_id: int, revision: int, *, has_points: bool) -> None:
    """To watchers, and with points to the fold, once the transaction has been committed."""
    events.announce(run_id, revision)
    if has_points:
        transaction.on_commit(lambda: fold_queue.note(run_id, revision))


def note_sign_of_life(run_id: int) -> None:
    Run.objects.filter(pk=run_id).update(last_seen_at=timezone.now())


def note_earlier_life(run_id: int, time: datetime) -> None:
    """Never in the future, and never before what is known."""
    time = min(time, timezone.now())
    Run.objects.filter(pk=run_id, last_seen_at__lt=time).update(last_seen_at=time)


def next_step(run: Run) -> int:
    """The step after the greatest one logged; 0 for a run without points."""
    greatest = run.metrics.aggregate(greatest=Max("last_step"))["greatest"]
    return 0 if greatest is None else int(greatest) + 1
