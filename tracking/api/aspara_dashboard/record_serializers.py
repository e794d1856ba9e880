"""Runs and projects in the words of the dashboard API."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from itertools import accumulate
from typing import Any

from django.db.models import Count, Prefetch, QuerySet, prefetch_related_objects
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from tracking.api.aspara_dashboard import examples
from tracking.api.fields import TagsField, TextField
from tracking.api.paging import PageQuery
from tracking.dialects import ASPARA_STATUS
from tracking.domain.fields import sort_runs
from tracking.domain.query import filter_runs
from tracking.domain.summaries import read_latest
from tracking.domain.values import flatten_map
from tracking.enums import Resolution, RunStatus
from tracking.models import Artifact, Metric, Producer, Project, Run

MAX_DETAILS = 200_000  # metrics and files in a list: 20 MB, half a second
STATES = [*RunStatus.values, "stale"]
UNUSED_COLUMNS = ("metadata", "readme", "bindrs")  # large, and not shown here


@extend_schema_field(OpenApiTypes.INT)
class UnixMsField(serializers.Field[Any, Any, int, Any]):
    def to_representation(self, value: datetime) -> int:
        return round(value.timestamp() * 1000)


@extend_schema_field(OpenApiTypes.DATETIME)
class IsoField(serializers.Field[Any, Any, str, Any]):
    """Always with microseconds and a Z."""

    def to_representation(self, value: datetime) -> str:
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")


class MapField(serializers.DictField):
    """As it is: it was checked when it was stored, and a list has a million values in its maps."""

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value


class ArtifactSerializer(serializers.Serializer[Artifact]):
    name = serializers.CharField()
    original_path = serializers.CharField(source="__str__")
    stored_path = serializers.SerializerMethodField(help_text="where it lies in the run's ZIP")
    file_size = serializers.IntegerField(source="size_bytes")
    timestamp = UnixMsField(source="created_at", help_text="UNIX ms")
    description = serializers.CharField()
    category = serializers.CharField()
    sha256 = serializers.CharField(help_text="of its bytes, in hex")

    def get_stored_path(self, artifact: Artifact) -> str:
        return f"artifacts/{artifact}"


@extend_schema_serializer(examples=[examples.METADATA])
class RunMetadataSerializer(serializers.Serializer[Any]):
    """Runs have to come from `load_details`."""

    run_id = serializers.CharField(source="key")
    tags = serializers.ListField(child=serializers.CharField())
    notes = serializers.CharField()
    params = serializers.SerializerMethodField(help_text="the config, flat")
    config = MapField()
    artifacts = ArtifactSerializer(many=True, source="kept_artifacts")
    summary = MapField()
    is_finished = serializers.BooleanField()
    exit_code = serializers.IntegerField(allow_null=True)
    status = serializers.SerializerMethodField(
        help_text="wip, completed, failed; maybe_failed: no sign of life for a while"
    )
    start_time = UnixMsField(source="started_at", help_text="UNIX ms")
    finish_time = UnixMsField(source="ended_at", allow_null=True, help_text="UNIX ms")

    def get_params(self, run: Run) -> dict[str, Any]:
        return flatten_map(run.config)

    def get_status(self, run: Run) -> str:
        return ASPARA_STATUS[run.shown_status]


@extend_schema_serializer(examples=[examples.RUN])
class RunSerializer(RunMetadataSerializer):
    """Metadata, and what tells the run from others."""

    project = serializers.CharField(source="project.key")
    name = serializers.CharField(source="key")
    display_name = serializers.CharField(source="name", help_text="as people have renamed it")
    folder = serializers.CharField(help_text="`a/b`; empty at the top of the project")
    state = serializers.ChoiceField(
        STATES, source="shown_status", help_text="the status in the words of the pages"
    )
    resolution = serializers.ChoiceField(
        Resolution.values,
        help_text="which points are kept: all, at most 1,000 of a series, or none",
    )
    finish_reason = serializers.CharField(help_text="why it ended so, where that was told")
    metrics = MapField(
        source="latest",
        help_text='metric → its last value; "NaN", "Infinity", "-Infinity" are texts',
    )


@extend_schema_serializer(examples=[examples.PRODUCER])
class ProducerSerializer(serializers.Serializer[Producer]):
    """Of one process that logged to a run, what has arrived."""

    uuid = serializers.CharField()
    last_seq = serializers.IntegerField(help_text="all its records up to this one are stored")
    logged_seq = serializers.IntegerField(help_text="how far it has logged, as it last told")
    gaps = serializers.ListField(
        child=serializers.DictField(), help_text="records it had to drop, as it told"
    )


def cut_to_size(runs: list[Run]) -> list[Run]:
    """The first of the runs, at least one, whose metrics and files fit into one answer."""
    ids = [run.pk for run in runs]
    details: Counter[int] = Counter()
    for rows in (Metric.objects.filter(run__in=ids), Artifact.objects.filter(run__in=ids)):
        details.update(dict(rows.order_by().values_list("run").annotate(Count("pk"))))
    totals = accumulate(details[pk] for pk in ids)
    return runs[: max(1, sum(total <= MAX_DETAILS for total in totals))]


def load_details(runs: Iterable[Run]) -> list[Run]:
    """The runs with all that is shown of them, in a constant number of queries."""
    loaded = list(runs)
    artifacts = Prefetch("artifacts", Artifact.objects.filter(deleted_at=None), "kept_artifacts")
    prefetch_related_objects(loaded, artifacts)
    ids = [run.pk for run in loaded]
    latest, reasons = read_latest(ids), _read_reasons(ids)
    for run in loaded:
        run.latest = latest.get(run.pk, {})  # type: ignore[attr-defined]
        run.finish_reason = reasons.get(run.pk, "")  # type: ignore[attr-defined]
    return loaded


def _read_reasons(run_ids: list[int]) -> dict[int, str]:
    """Of the metadata, which lists do not read, the one word that they show."""
    told = Run.objects.filter(pk__in=run_ids, metadata__has_key="finish_reason").order_by()
    found = told.values_list("pk", "metadata__finish_reason")
    return {pk: reason for pk, reason in found if isinstance(reason, str)}


class RunsQuery(PageQuery):
    """Which runs of a project are wanted, and in which order."""

    q = serializers.CharField(
        required=False, allow_blank=True, help_text="a query, as in the table of runs"
    )
    sort = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="a field, such as `loss.min`; `-` turns it round",
    )

    def select(self, runs: QuerySet[Run]) -> QuerySet[Run]:
        """Raises: QueryError, InvalidInput."""
        asked = self.validated_data
        return sort_runs(filter_runs(runs, asked.get("q", "")), asked.get("sort", ""))


@extend_schema_serializer(examples=[examples.PROJECT])
class ListedProjectSerializer(serializers.Serializer[Project]):
    name = serializers.CharField(source="key")
    display_name = serializers.CharField(source="name")
    description = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    run_count = serializers.IntegerField(help_text="without archived runs")
    created_at = IsoField()
    updated_at = IsoField()


@extend_schema_serializer(examples=[examples.PROJECT_METADATA])
class ProjectMetadataSerializer(serializers.Serializer[Project]):
    notes = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    created_at = IsoField()
    updated_at = IsoField()


@extend_schema_serializer(examples=examples.CHANGES)
class ChangesSerializer(serializers.Serializer[Any]):
    """What is not given, or null, stays as it is."""

    notes = TextField(required=False, allow_null=True, allow_blank=True, help_text="Markdown")
    tags = TagsField(required=False, allow_null=True, help_text="all of them: others go")


@extend_schema_serializer(examples=[examples.DELETED])
class MessageSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
