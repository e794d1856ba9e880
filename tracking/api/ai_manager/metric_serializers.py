"""The words of the AI Manager API for metrics. What JSON cannot write of a number is named in text."""

import math
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from numpy.typing import NDArray
from rest_framework import serializers

from tracking.api.ai_manager import examples
from tracking.api.ai_manager.serializers import MAX_SKIP, OPTIONAL
from tracking.api.fields import RowField, StepField
from tracking.dialects import POINTS_OF_METRIC
from tracking.domain.point_list import ListedPoint
from tracking.domain.values import NUMBER_WORDS, clean_row, number_word
from tracking.models import Metric
from tracking.points import Columns

MAX_POINTS = 10_000  # in one answer; one of them costs about 130 bytes
DEFAULT_POINTS = 1_000
NUMBER = {"oneOf": [{"type": "number"}, {"type": "string", "enum": [*NUMBER_WORDS]}]}


@extend_schema_field(NUMBER)
class NumberField(serializers.Field[Any, Any, Any, Any]):
    def to_internal_value(self, data: Any) -> Any:
        return data  # checked with its name

    def to_representation(self, value: float) -> float | str:
        return write_number(value)


def write_number(value: float) -> float | str:
    return value if math.isfinite(value) else number_word(value)


class PointsQuery(serializers.Serializer[Any]):
    metric_name = serializers.CharField(
        required=False, trim_whitespace=False, help_text="of this metric only"
    )
    skip = serializers.IntegerField(
        default=0, min_value=0, max_value=MAX_SKIP, help_text="how many to leave out"
    )
    limit = serializers.IntegerField(
        default=DEFAULT_POINTS, min_value=0, max_value=MAX_POINTS, help_text="how many at most"
    )

    def options(self) -> dict[str, Any]:
        asked = self.validated_data
        return {"name": asked.get("metric_name"), "skip": asked["skip"], "limit": asked["limit"]}


@extend_schema_serializer(examples=[examples.NEW_POINT])
class NewPointSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(trim_whitespace=False)
    value = NumberField(help_text='NaN, Infinity and "NaN" are numbers too')
    step = StepField(**OPTIONAL, help_text="default: the run's next step")

    def row(self) -> dict[str, Any]:
        asked = self.validated_data
        return _row({asked["name"]: asked["value"]}, asked.get("step"))


class AnyRowField(RowField):
    """An empty one too: the original client sends it for a row without numbers."""

    def to_internal_value(self, data: Any) -> dict[str, float]:
        return super().to_internal_value(data) if data != {} else {}


@extend_schema_serializer(examples=[examples.NEW_ROW])
class NewRowSerializer(serializers.Serializer[Any]):
    metrics = AnyRowField(help_text='name → number; NaN, Infinity and "NaN" are numbers too')
    step = StepField(**OPTIONAL, help_text="default: the run's next step")

    def row(self) -> dict[str, Any]:
        return _row(self.validated_data["metrics"], self.validated_data.get("step"))


def _row(metrics: dict[str, Any], step: int | None) -> dict[str, Any]:
    values = clean_row(metrics) if metrics else {}
    return {"values": values, "step": step, "time_us": time.time_ns() // 1_000}


@extend_schema_serializer(examples=[examples.POINT])
class PointSerializer(serializers.Serializer[Any]):
    """Described here; `write_point` makes it, for there may be thousands."""

    id = serializers.IntegerField()
    run_id = serializers.IntegerField()
    name = serializers.CharField()
    value = NumberField()
    step = serializers.IntegerField()
    timestamp = serializers.DateTimeField()


def write_points(run_id: int, points: list[ListedPoint]) -> list[dict[str, Any]]:
    times = write_times(np.array([point.time_us for point in points], np.int64))
    return [
        {
            "id": point.metric_id * POINTS_OF_METRIC + point.ordinal,
            "run_id": run_id,
            "name": point.name,
            "value": write_number(point.value),
            "step": point.step,
            "timestamp": timestamp,
        }
        for point, timestamp in zip(points, times, strict=True)
    ]


def write_times(times_us: NDArray[np.int64]) -> list[str]:
    """As `naive_iso` writes them."""
    texts: Iterable[str] = np.datetime_as_string(times_us.astype("datetime64[us]")).tolist()
    return [text.removesuffix(".000000") for text in texts]


@extend_schema_serializer(examples=[examples.HISTORY])
class HistorySerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    values = serializers.ListField(child=NumberField())
    steps = serializers.ListField(child=serializers.IntegerField())
    timestamps = serializers.ListField(child=serializers.DateTimeField())


def write_history(name: str, columns: Columns) -> dict[str, Any]:
    values: Any = columns.values
    if not np.isfinite(values).all():
        values = [write_number(value) for value in values.tolist()]
    return {
        "name": name,
        "values": values,
        "steps": columns.steps,
        "timestamps": write_times(columns.times_us),
    }


@extend_schema_serializer(examples=[examples.SUMMARY], component_name="ManagerSummary")
class SummarySerializer(serializers.Serializer[Metric]):
    """`current_value` is that of the greatest step; the others are of finite values."""

    name = serializers.CharField()
    current_value = serializers.SerializerMethodField()
    min_value = serializers.FloatField(source="min", allow_null=True)
    max_value = serializers.FloatField(source="max", allow_null=True)
    mean_value = serializers.SerializerMethodField()
    total_points = serializers.IntegerField(source="count")

    @extend_schema_field(NUMBER | {"nullable": True})
    def get_current_value(self, metric: Metric) -> float | str | None:
        if metric.last_step is None:
            return None
        return write_number(math.nan if metric.last is None else metric.last)

    @extend_schema_field(NUMBER | {"nullable": True})
    def get_mean_value(self, metric: Metric) -> float | str | None:
        return None if metric.mean is None else write_number(metric.mean)
