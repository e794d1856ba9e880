"""What clients of ML-Dash's wire send. Whatever a value is, it is taken where it would be repeated."""

import contextlib
from typing import Any, TypeGuard

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tracking.api.fields import TagsField, TextField, TimeField
from tracking.dialects import ML_DASH_STATUS
from tracking.domain.mending import mend_map
from tracking.domain.rows import TIME_FIELD
from tracking.domain.runs import RunStart
from tracking.domain.values import INT64, clean_folder, clean_name, flatten_map
from tracking.enums import RunStatus, Source
from tracking.errors import InvalidInput, LimitExceeded

MAX_ROWS = 10_000  # in one answer, as the original says
MAX_SENT = 100_000  # rows or lines in one call: the original's queue has room for no more
NO_FORMAT = "{input} is not written here; ask for json or jsonl, and convert them where you are."
WORDS = ("description", "tags", "metadata")
KINDS = ("PROJECT", "FOLDER", "EXPERIMENT", "FILE")
MAX_TIME_S = 1e15  # no clock says more, and NaN is not below it
OPTIONAL: Any = {"required": False, "allow_null": True, "allow_blank": True}
STATUSES = {word: status for status, word in ML_DASH_STATUS.items()}


@extend_schema_field(OpenApiTypes.ANY)
class AnyField(serializers.Field[Any, Any, Any, Any]):
    """Whatever JSON can say."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_null=True, **options)

    def to_internal_value(self, data: Any) -> Any:
        return data


class AnyListField(serializers.ListField):
    """A list of whatever."""

    child = AnyField()

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            raise InvalidInput(f"{self.field_name} must be a list.", field=str(self.field_name))
        if len(data) > MAX_SENT:
            raise LimitExceeded(f"{self.field_name}: at most {MAX_SENT} at once.")
        return data


class AnyMapField(serializers.DictField):
    """An object; what no database takes in it is mended."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise InvalidInput(f"{self.field_name} must be an object.", field=str(self.field_name))
        return mend_map(data)


class NameField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        return clean_name(data, str(self.field_name))


class StatusField(serializers.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(help_text=f"one of {', '.join(STATUSES)}", **options)

    def to_internal_value(self, data: Any) -> RunStatus:
        if not isinstance(data, str) or data.upper() not in STATUSES:
            raise InvalidInput(f"status must be one of {', '.join(STATUSES)}.", field="status")
        return RunStatus(STATUSES[data.upper()])


class WordsSerializer(serializers.Serializer[Any]):
    """What is said of a stream of rows."""

    description = AnyField(required=False)
    tags = AnyField(required=False)
    metadata = AnyField(required=False)

    def words(self) -> dict[str, Any]:
        return {key: self.validated_data[key] for key in WORDS if self.validated_data.get(key)}


class RowSerializer(WordsSerializer):
    data = AnyField()  # type: ignore[assignment]  # the wire's name, and DRF's of something else

    def rows(self) -> list[Any]:
        return [self.validated_data["data"]]


class RowsSerializer(WordsSerializer):
    dataPoints = AnyListField()  # noqa: N815 -- the wire's name

    def rows(self) -> list[Any]:
        rows: list[Any] = self.validated_data["dataPoints"]
        return rows


def _without_time(entry: Any) -> Any:
    """The row of a track's entry: its time is the row's, where it is one.

    Flat, as the client writes it to its own disk: an import of both finds the same row.
    """
    time_s = entry.get("timestamp") if isinstance(entry, dict) else None
    if not is_time(time_s):
        return entry
    fields = {key: value for key, value in entry.items() if key not in {"timestamp", TIME_FIELD}}
    with contextlib.suppress(RecursionError):  # kept as it is: the store mends it
        fields = flatten_map(fields)
    return {TIME_FIELD: time_s} | fields


def is_time(value: object) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -MAX_TIME_S < value < MAX_TIME_S


class TrackSerializer(WordsSerializer):
    topic = TextField()


class EntrySerializer(WordsSerializer):
    timestamp = AnyField()
    data = AnyField()  # type: ignore[assignment]  # as above

    def rows(self) -> list[Any]:
        found = self.validated_data["data"]
        fields = found if isinstance(found, dict) else {"value": found}
        return [_without_time({**fields, "timestamp": self.validated_data["timestamp"]})]


class EntriesSerializer(WordsSerializer):
    entries = AnyListField()

    def rows(self) -> list[Any]:
        return [_without_time(entry) for entry in self.validated_data["entries"]]


class LogsSerializer(serializers.Serializer[Any]):
    logs = AnyListField()


class ParametersSerializer(serializers.Serializer[Any]):
    data = AnyMapField()  # type: ignore[assignment]  # the wire's name, and DRF's of something else


class ExperimentStatusSerializer(serializers.Serializer[Any]):
    status = StatusField()


class NodeChangesSerializer(serializers.Serializer[Any]):
    """Of an experiment; files have their own."""

    status = StatusField(required=False)
    description = TextField(**OPTIONAL)
    tags = TagsField(required=False, allow_null=True)

    def changes(self) -> dict[str, Any]:
        said = self.validated_data
        return {
            "status": said.get("status"),
            "readme": said.get("description"),
            "tags": said.get("tags"),
        }


class ExperimentSerializer(serializers.Serializer[Any]):
    """How an experiment begins, wherever it is to lie."""

    name = NameField()
    description = TextField(**OPTIONAL)
    tags = TagsField(required=False, allow_null=True)
    bindrs = TagsField(required=False, allow_null=True)
    metadata = AnyMapField(required=False, allow_null=True)

    def run_start(self, folder: str) -> RunStart:
        said = self.validated_data
        return RunStart(
            key=said["name"],
            name=said["name"],
            source=Source.ML_DASH,
            folder=folder,
            tags=said.get("tags"),
            bindrs=said.get("bindrs"),
            readme=said.get("description") or "",
            metadata=said.get("metadata") or {},
            resume=True,
        )


class PlacedExperimentSerializer(ExperimentSerializer):
    """As the first releases sent it."""

    prefix = TextField(**OPTIONAL)

    def place(self, project: str) -> tuple[str, str]:
        """Owner and folder of `owner/project/folder/name`, or of what stands for the folder."""
        parts = [part for part in (self.validated_data.get("prefix") or "").split("/") if part]
        owner = ""
        if len(parts) > 1 and parts[1] == project:
            owner, parts = clean_name(parts[0], "prefix"), parts[2:]
        if parts and parts[-1] == self.validated_data["name"]:
            parts.pop()
        return owner, clean_folder("/".join(parts), "prefix")


class NodeSerializer(ExperimentSerializer):
    """All kinds of nodes that come as JSON; the views look at what their kind needs."""

    type = serializers.ChoiceField(choices=KINDS)
    name = NameField()
    slug = NameField(**OPTIONAL)
    projectId = TextField(**OPTIONAL)  # noqa: N815 -- the wire's name
    projectSlug = NameField(**OPTIONAL)  # noqa: N815 -- as above
    experimentId = TextField(**OPTIONAL)  # noqa: N815 -- as above
    parentId = TextField(**OPTIONAL)  # noqa: N815 -- as above


class RowsQuery(serializers.Serializer[Any]):
    startIndex = serializers.IntegerField(  # noqa: N815 -- the wire's name
        default=0, min_value=0, max_value=INT64.stop - 1 - MAX_ROWS
    )
    limit = serializers.IntegerField(default=1_000, min_value=1, max_value=MAX_ROWS)
    bufferOnly = serializers.BooleanField(  # noqa: N815 -- as above
        default=False, help_text="those behind the last whole chunk, and all of them"
    )


class CursorQuery(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=1_000, min_value=1, max_value=MAX_ROWS)
    cursor = serializers.CharField(
        required=False, allow_blank=True, help_text="`nextCursor` of the page before"
    )


class StreamsQuery(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=1_000, min_value=1, max_value=1_000)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=INT64.stop // 2)


class TracksQuery(StreamsQuery):
    topic = serializers.CharField(
        required=False, allow_blank=True, help_text="`robot/*` for all below `robot/`"
    )


class LogsQuery(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=1_000, min_value=1, max_value=MAX_ROWS)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=INT64.stop // 2)
    orderBy = serializers.ChoiceField(  # noqa: N815 -- the wire's name
        choices=["timestamp", "sequenceNumber"], default="timestamp"
    )
    order = serializers.ChoiceField(choices=["asc", "desc"], default="asc")
    level = serializers.CharField(required=False, help_text="several with commas between")
    startTime = TimeField(required=False)  # noqa: N815 -- as above
    endTime = TimeField(required=False)  # noqa: N815 -- as above
    search = TextField(required=False, allow_blank=True)


class EntriesQuery(serializers.Serializer[Any]):
    format = serializers.ChoiceField(
        choices=["json", "jsonl"],
        default="json",
        error_messages={"invalid_choice": NO_FORMAT},
    )
    start_timestamp = serializers.FloatField(required=False)
    end_timestamp = serializers.FloatField(required=False)
    columns = serializers.CharField(required=False, help_text="several with commas between")
