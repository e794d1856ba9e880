"""What a run leaves beside its series: rows, log lines, files."""

import secrets
import time

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from tracking.enums import ArtifactCategory
from tracking.models.lengths import NAME_LENGTH


class RowBlock(models.Model):
    """A stretch of `count` rows of a stream exactly as they were logged, the first one's number in
    `ordinal`. Read them by `tracking.domain.rows`, which knows how they lie in `data`.

    The stream that has no name is "".
    """

    run = models.ForeignKey("tracking.Run", on_delete=models.CASCADE, related_name="row_blocks")
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
    run = models.ForeignKey("tracking.Run", on_delete=models.CASCADE, related_name="log_lines")
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
    run = models.ForeignKey("tracking.Run", on_delete=models.CASCADE, related_name="artifacts")
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
    updated_at = models.DateTimeField(auto_now=True)
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
