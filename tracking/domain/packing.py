"""Folding: many small stretches of a metric become few large, compressed ones.

The points, their order and their ordinals stay; a folded stretch carries the newest revision in it.
Stretches younger than FOLD_AGE_S are left alone, so that watchers who reconnect read little twice.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import NamedTuple

from django.db import transaction
from django.db.models import F

from tracking import telemetry
from tracking.models import MetricPoint, Run
from tracking.points import Columns, decode, encode_packed

SMALL = 1_024  # points; a stretch of fewer is folded again: at most 10 KB are rewritten
LARGE = 65_536  # points; what a folded stretch may hold
AT_ONCE = 50_000  # stretches of one fold: SQLite takes five times as many parameters
FOLD_AGE_S = 60.0
FOLD_COMMITS = 32  # fewer are not worth a rewrite while the run goes on
SILENT_S = 3600.0  # after that a run is folded and forgotten: another process may have ended it
MARK_EVERY_S = 5.0  # how finely the age of commits is remembered
STRETCH_FIELDS = ("id", "metric_id", "revision", "ordinal", "count", "data")


class _Stretch(NamedTuple):
    """STRETCH_FIELDS of a row."""

    id: int
    metric_id: int
    revision: int
    ordinal: int
    size: int
    data: bytes

    def is_followed_by(self, other: "_Stretch") -> bool:
        return self.metric_id == other.metric_id and self.ordinal + self.size == other.ordinal


def fold_run(run: Run, *, upto: int) -> int:
    """Fold the run's stretches up to revision `upto`; a finished run's into the largest possible.

    Returns how many stretches it saved. Doing it again changes nothing.
    """
    limit = LARGE if run.is_finished else SMALL
    with transaction.atomic():
        Run.objects.select_for_update().only("pk").get(pk=run.pk)
        rows = MetricPoint.objects.filter(run=run, count__lt=limit, revision__lte=upto)
        fields = rows.order_by("metric_id", "ordinal").values_list(*STRETCH_FIELDS)[:AT_ONCE]
        groups = [group for group in _groups(map(_Stretch._make, fields)) if len(group) > 1]
        MetricPoint.objects.filter(
            run=run, pk__in=[row.id for group in groups for row in group]
        ).delete()
        MetricPoint.objects.bulk_create([_join(run, group) for group in groups])
        Run.objects.filter(pk=run.pk).update(unfolded=F("revision") - upto, unfolded_points=0)
    return sum(len(group) - 1 for group in groups)


def _groups(stretches: Iterable[_Stretch]) -> Iterator[list[_Stretch]]:
    """Neighbours that may become one: of one metric, without a hole, not too large together."""
    group: list[_Stretch] = []
    size = 0
    for stretch in stretches:
        if group and (not group[-1].is_followed_by(stretch) or size + stretch.size > LARGE):
            yield group
            group, size = [], 0
        group.append(stretch)
        size += stretch.size
    if group:
        yield group


def _join(run: Run, group: list[_Stretch]) -> MetricPoint:
    columns = Columns.join([decode(stretch.data) for stretch in group])
    return MetricPoint(
        run=run,
        metric_id=group[0].metric_id,
        revision=max(stretch.revision for stretch in group),
        ordinal=group[0].ordinal,
        count=len(columns),
        step_min=columns.steps.min(),
        step_max=columns.steps.max(),
        data=encode_packed(columns),
    )


@dataclass(slots=True)
class _Waiting:
    """A run with commits that no fold has seen."""

    marks: deque[tuple[float, int]] = field(default_factory=deque)  # when which revision was there
    ripe: int = 0  # revision that is old enough to be folded
    folded: int = 0
    ended: bool = False
    noted_at: float = 0.0

    def ripen(self, now: float) -> bool:
        """Whether it is time to fold: enough commits, or no more to be expected."""
        while self.marks and now - self.marks[0][0] >= FOLD_AGE_S:
            self.ripe = self.marks.popleft()[1]
        news = self.ripe - self.folded
        return news >= FOLD_COMMITS or self.is_over(now)

    def is_over(self, now: float) -> bool:
        return not self.marks and (self.ended or now - self.noted_at >= SILENT_S)


class FoldQueue:
    """What this process has committed and not folded yet. The writer's thread folds."""

    def __init__(self) -> None:
        self._notes: SimpleQueue[tuple[int, int, bool]] = SimpleQueue()
        self._waiting: dict[int, _Waiting] = {}

    def load(self) -> None:
        """Take up what an earlier process left unfolded."""
        left = Run.objects.filter(unfolded__gt=0).only("revision", "status")
        for run in left:
            self.note(run.pk, run.revision, ended=run.is_finished)

    def note(self, run_id: int, revision: int, *, ended: bool = False) -> None:
        """A commit has reached this revision. Any thread may call it."""
        self._notes.put((run_id, revision, ended))

    def fold_next(self, now: float) -> None:
        """Fold one run whose time has come, if there is one. `now` is on the monotonic clock."""
        while not self._notes.empty():
            self._take(now, *self._notes.get())
        for run_id, waiting in list(self._waiting.items()):
            if waiting.ripen(now) and self._fold(run_id, waiting, now):
                return

    def _take(self, now: float, run_id: int, revision: int, ended: bool) -> None:
        waiting = self._waiting.setdefault(run_id, _Waiting())
        waiting.ended, waiting.noted_at = ended, now
        if waiting.marks and now - waiting.marks[-1][0] < MARK_EVERY_S:
            waiting.marks[-1] = (waiting.marks[-1][0], revision)
        else:
            waiting.marks.append((now, revision))

    def _fold(self, run_id: int, waiting: _Waiting, now: float) -> bool:
        """False if the run is gone, or another process has folded all of it."""
        waiting.folded = waiting.ripe
        run = Run.objects.filter(pk=run_id).first()
        if run is None or waiting.is_over(now):
            del self._waiting[run_id]
        if run is None or not run.unfolded:
            return False
        fold_run(run, upto=waiting.ripe)
        telemetry.folds.inc()
        return True


fold_queue = FoldQueue()
