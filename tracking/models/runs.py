"""Runs and their series."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.utils import timezone

from tracking.enums import Resolution, RunStatus, Source
from tracking.models.kept import KeptManager
from tracking.models.lengths import NAME_LENGTH
from tracking.points import MetricPointQuerySet

SERIES_COLORS = 12  # as many as colour-blind eyes tell apart; beyond that there are dashes


class Run(models.Model):
    """One training. `revision` grows by one with each commit that touches it: the live cursor."""

    project = models.ForeignKey("tracking.Project", on_delete=models.CASCADE, related_name="runs")
    uid = models.UUIDField(default=uuid.uuid4, unique=True)
    key = models.CharField(max_length=NAME_LENGTH)
    name = models.CharField(max_length=NAME_LENGTH)
    folder = models.CharField(max_length=1000, blank=True)
    source = models.CharField(max_length=20, choices=Source.choices, default=Source.ASPARA)
    status = models.CharField(max_length=10, choices=RunStatus.choices, default=RunStatus.RUNNING)
    exit_code = models.IntegerField(null=True, blank=True)
    config = models.JSONField(default=dict, blank=True)
    summary = models.JSONField(default=dict, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    tags = models.JSONField(default=list, blank=True)
    notes = models.TextField(blank=True)
    readme = models.TextField(blank=True)
    bindrs = models.JSONField(default=list, blank=True)
    color = models.PositiveSmallIntegerField(default=0)  # of its curves, in all charts and for ever
    created_by = models.ForeignKey(
        "tracking.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="runs"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(default=timezone.now)
    archived_at = models.DateTimeField(null=True, blank=True)  # lists leave it out; nothing is lost
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)  # it is in the trash
    resolution = models.CharField(
        max_length=10, choices=Resolution.choices, default=Resolution.FULL, editable=False
    )
    revision = models.BigIntegerField(default=0, editable=False)
    unfolded = models.PositiveIntegerField(default=0, editable=False)  # commits since the last fold
    unfolded_points = models.BigIntegerField(default=0, editable=False)

    objects = KeptManager["Run"]()
    everything: ClassVar[models.Manager["Run"]] = models.Manager()  # the trash too

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            UniqueConstraint(
                fields=["project", "key"],
                condition=Q(deleted_at=None),
                name="run_key_once_in_project",
            ),
            CheckConstraint(condition=~Q(key=""), name="run_key_not_empty"),
            CheckConstraint(condition=Q(status__in=RunStatus.values), name="run_status_known"),
        ]
        indexes = [
            # Lists leave out what is archived: with it in the index they need not read the rows.
            Index(fields=["project", "archived_at", "-started_at", "-id"], name="run_newest"),
            Index(fields=["project", "status"], name="run_by_status"),
            Index(fields=["project", "folder"], name="run_by_folder"),
            Index(fields=["deleted_at"], condition=~Q(deleted_at=None), name="run_in_trash"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def is_finished(self) -> bool:
        return self.status != RunStatus.RUNNING

    @property
    def is_stale(self) -> bool:
        """No sign of life for a while. The next one heals it; only a record ends a run."""
        silence = timezone.now() - self.last_seen_at
        return not self.is_finished and silence > timedelta(seconds=settings.STALE_AFTER_S)

    @property
    def shown_status(self) -> str:
        return "stale" if self.is_stale else self.status

    @property
    def duration(self) -> timedelta:
        return max((self.ended_at or self.last_seen_at) - self.started_at, timedelta())


class Metric(models.Model):
    """One series of a run, with the summary that tables sort and filter by.

    `min`, `max` and `sum` are over finite values. `last` is the value at the greatest step (ties:
    the newest); it is NULL beside a `last_step` where that value is NaN.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="metrics")
    name = models.CharField(max_length=NAME_LENGTH)
    count = models.BigIntegerField(default=0)  # points ever received; the next point's ordinal
    finite_count = models.BigIntegerField(default=0)
    min = models.FloatField(null=True, blank=True)
    max = models.FloatField(null=True, blank=True)
    sum = models.FloatField(default=0.0)
    last = models.FloatField(null=True, blank=True)
    last_step = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [UniqueConstraint(fields=["run", "name"], name="metric_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def mean(self) -> float | None:
        return self.sum / self.finite_count if self.finite_count else None


class MetricPoint(models.Model):
    """A stretch of one or more consecutive points of one metric: `count` points, packed in `data`.

    `objects.count()` counts stretches; the number of points is `Metric.count`. Read them with
    `objects.filter(…).arrays()` (NumPy columns) or `.points()` (one by one).
    `ordinal` is the place of the first point in order of arrival; `revision` is that of the run's
    newest commit in the stretch. The layout of `data` stands in `tracking/points.py`.
    """

    # Without constraints in the database: the statement that adds a point takes both from their own
    # rows, under the run's lock, and looking again took PostgreSQL a quarter of its time.
    run = models.ForeignKey(
        Run, models.CASCADE, db_index=False, db_constraint=False, related_name="points"
    )
    metric = models.ForeignKey(
        Metric, models.CASCADE, db_index=False, db_constraint=False, related_name="points"
    )
    revision = models.BigIntegerField()
    ordinal = models.BigIntegerField()
    count = models.PositiveIntegerField()
    step_min = models.BigIntegerField()
    step_max = models.BigIntegerField()
    data = models.BinaryField()

    objects = MetricPointQuerySet.as_manager()

    class Meta:
        ordering = ["metric", "ordinal"]
        constraints = [
            # A second guard against taking the same points in twice. The metric says which run it
            # is; a database that is spread over machines wants to read it in the key.
            UniqueConstraint(fields=["metric", "ordinal", "run"], name="point_once"),
            CheckConstraint(condition=Q(count__gt=0), name="point_stretch_not_empty"),
        ]
        # News are read by revision, folds look for small counts. New entries go to the index's end:
        # one sorted by metric would cost each commit a page for each metric.
        indexes = [Index(fields=["run", "revision", "count"], name="point_news")]

    def __str__(self) -> str:
        return f"{self.metric_id}[{self.ordinal}:{self.ordinal + self.count}]"


class Producer(models.Model):
    """One incarnation of a process that logs to one run, and the last record it has committed.

    Sequence numbers up to `last_seq` have been taken in: a retry of them changes nothing, for ever.
    It outlives its run: who goes on writing is told that the run was deleted.
    """

    uuid = models.UUIDField()
    run = models.ForeignKey(
        Run, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="producers"
    )
    last_seq = models.BigIntegerField(default=0)
    logged_seq = models.BigIntegerField(default=0)  # as the client last told
    gaps = models.JSONField(default=list, blank=True)  # what the client had to drop, as it told us

    class Meta:
        constraints = [UniqueConstraint(fields=["uuid", "run"], name="producer_once")]

    def __str__(self) -> str:
        return f"{self.uuid}@{self.last_seq}"
