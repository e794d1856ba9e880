"""Runyard's record: projects, runs, their metrics, points and artifacts. No workflows here."""

import secrets
import time
import uuid
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.utils import timezone
from knox.models import AbstractAuthToken
from knox.settings import CONSTANTS as TOKEN_LENGTHS

from tracking.enums import ArtifactCategory, Role, RunStatus, Source, ViewPage
from tracking.points import MetricPointQuerySet

SERIES_COLORS = 12  # as many as colour-blind eyes tell apart; beyond that there are dashes
NAME_LENGTH = 250  # fits one path segment of every file system, and an index on every database


class User(AbstractUser):
    """A person, or a service account that trains and does not sign in."""

    is_service = models.BooleanField(default=False)
    token: "ApiToken | None" = None  # that this request came with: it narrows what the user may

    def check_password(self, raw_password: str | None) -> bool:
        """Whatever password a service account may have been given opens nothing."""
        return not self.is_service and super().check_password(raw_password)

    def get_session_auth_hash(self) -> str:
        """Sessions and JWTs of a person end when the account is made one for programs."""
        return "service" * self.is_service + super().get_session_auth_hash()


class Project(models.Model):
    key = models.CharField(max_length=NAME_LENGTH, unique=True)
    name = models.CharField(max_length=NAME_LENGTH)
    namespace = models.CharField(max_length=NAME_LENGTH, blank=True)
    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="owned_projects"
    )
    members = models.ManyToManyField(User, through="Membership", related_name="projects")
    is_public = models.BooleanField(default=False)
    description = models.TextField(blank=True)
    notes = models.TextField(blank=True)
    tags = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["key"]
        constraints = [
            CheckConstraint(condition=~Q(key=""), name="project_key_not_empty"),
            UniqueConstraint(
                fields=["namespace", "name"],
                condition=~Q(namespace=""),
                name="project_name_once_in_namespace",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class Membership(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["project", "user"], name="membership_once"),
            CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"


class Invitation(models.Model):
    """A link that makes an account, and a member of the project; the link itself is not stored.

    One for an e-mail address ends with its use.
    """

    project = models.ForeignKey(
        Project, null=True, blank=True, on_delete=models.CASCADE, related_name="invitations"
    )
    inviter = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.role} for {self.email or 'whoever has the link'}"


class ApiToken(AbstractAuthToken):
    """What a program says instead of a password: a user's rights, or fewer, until it is revoked.

    Only the digest of the secret is stored; `token_key` is its beginning, to tell tokens apart.
    """

    id = models.BigAutoField(primary_key=True)  # addresses and the audit log name no digest
    digest = models.CharField(max_length=TOKEN_LENGTHS.DIGEST_LENGTH, unique=True, editable=False)
    name = models.CharField(max_length=NAME_LENGTH)
    can_write = models.BooleanField(default=False)
    # Goes with its project: a token for one must not become a token for all.
    project = models.ForeignKey(
        Project, null=True, blank=True, on_delete=models.CASCADE, related_name="tokens"
    )
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Knox's own manager makes what has no name; `create_token` makes ours.
    objects: ClassVar[models.Manager["ApiToken"]] = models.Manager()

    class Meta:
        ordering = ["-created", "-id"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.token_key}…)"

    @property
    def is_expired(self) -> bool:
        return self.expiry is not None and self.expiry <= timezone.now()

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and not self.is_expired


class Run(models.Model):
    """One training. `revision` grows by one with each commit that touches it: the live cursor."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs")
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
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="runs"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(default=timezone.now)
    archived_at = models.DateTimeField(null=True, blank=True)  # lists leave it out; nothing is lost
    revision = models.BigIntegerField(default=0, editable=False)
    unfolded = models.PositiveIntegerField(default=0, editable=False)  # commits since the last fold
    unfolded_points = models.BigIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            UniqueConstraint(fields=["project", "key"], name="run_key_once_in_project"),
            CheckConstraint(condition=~Q(key=""), name="run_key_not_empty"),
            CheckConstraint(condition=Q(status__in=RunStatus.values), name="run_status_known"),
        ]
        indexes = [
            # Lists leave out what is archived: with it in the index they need not read the rows.
            Index(fields=["project", "archived_at", "-started_at", "-id"], name="run_newest"),
            Index(fields=["project", "status"], name="run_by_status"),
            Index(fields=["project", "folder"], name="run_by_folder"),
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


class SavedView(models.Model):
    """A page of a project as somebody has set it up, under a name: the query string of its URL."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="views")
    name = models.CharField(max_length=NAME_LENGTH)
    page = models.CharField(max_length=10, choices=ViewPage.choices)
    query = models.TextField(blank=True)
    created_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="views"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            UniqueConstraint(fields=["project", "name"], name="view_name_once_in_project"),
            CheckConstraint(condition=Q(page__in=ViewPage.values), name="view_page_known"),
        ]

    def __str__(self) -> str:
        return self.name


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

    run = models.ForeignKey(Run, on_delete=models.CASCADE, db_index=False, related_name="points")
    metric = models.ForeignKey(
        Metric, on_delete=models.CASCADE, db_index=False, related_name="points"
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
            # A second guard against taking the same points in twice.
            UniqueConstraint(fields=["metric", "ordinal"], name="point_once"),
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
    A producer without a run wrote to a run that was deleted.
    """

    uuid = models.UUIDField(unique=True)
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="producers")
    last_seq = models.BigIntegerField(default=0)
    logged_seq = models.BigIntegerField(default=0)  # as the client last told
    gaps = models.JSONField(default=list, blank=True)  # what the client had to drop, as it told us

    def __str__(self) -> str:
        return f"{self.uuid}@{self.last_seq}"


class RowBlock(models.Model):
    """A stretch of `count` rows of a stream exactly as they were logged, the first one's number in
    `ordinal`. Read them by `tracking.domain.rows`, which knows how they lie in `data`.

    The stream that has no name is "".
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="row_blocks")
    stream = models.CharField(max_length=NAME_LENGTH)
    ordinal = models.BigIntegerField()
    count = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["stream", "ordinal"]
        constraints = [
            UniqueConstraint(fields=["run", "stream", "ordinal"], name="row_block_once"),
            CheckConstraint(condition=Q(count__gt=0), name="row_block_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.stream}[{self.ordinal}:{self.ordinal + self.count}]"


class LogLine(models.Model):
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="log_lines")
    seq = models.BigIntegerField()
    time = models.DateTimeField()
    level = models.CharField(max_length=20, default="info")
    message = models.TextField()
    metadata = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["seq"]
        constraints = [UniqueConstraint(fields=["run", "seq"], name="log_line_once")]

    def __str__(self) -> str:
        return f"{self.level}: {self.message[:60]}"


def make_file_id() -> int:
    """Milliseconds and twelve bits of chance: as the clients make them, who need them at once."""
    return time.time_ns() // 1_000_000 << 12 | secrets.randbits(12)


class Artifact(models.Model):
    """A file of a run. Its bytes lie in Django's storage under `storage_key`, never under a name.

    A later upload of the same name replaces it: the older row gets a `deleted_at`.
    """

    uid = models.BigIntegerField(default=make_file_id, unique=True, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="artifacts")
    path = models.CharField(max_length=1000, blank=True)
    name = models.CharField(max_length=NAME_LENGTH)
    category = models.CharField(max_length=10, choices=ArtifactCategory.choices, blank=True)
    description = models.TextField(blank=True)
    tags = models.JSONField(default=list, blank=True)
    bindrs = models.JSONField(default=list, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    content_type = models.CharField(max_length=100)
    storage_key = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["path", "name"]
        constraints = [
            UniqueConstraint(
                fields=["run", "path", "name"],
                condition=Q(deleted_at=None),
                name="artifact_name_once",
            ),
            CheckConstraint(condition=Q(size_bytes__gte=0), name="artifact_size_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.path}/{self.name}" if self.path else self.name


class Folder(models.Model):
    """A folder that a client has asked for by name and knows by number: of runs, or in one run.

    What is shown of folders comes from `Run.folder` and `Artifact.path`; this is only the number.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="folders")
    run = models.ForeignKey(
        Run, null=True, blank=True, on_delete=models.CASCADE, related_name="folders"
    )
    path = models.CharField(max_length=1000)

    class Meta:
        constraints = [
            UniqueConstraint(
                fields=["project", "path"], condition=Q(run=None), name="folder_once_in_project"
            ),
            UniqueConstraint(
                fields=["run", "path"], condition=~Q(run=None), name="folder_once_in_run"
            ),
        ]

    def __str__(self) -> str:
        return self.path
