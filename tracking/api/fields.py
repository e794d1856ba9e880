"""Fields that several APIs take in. What a value may be is a rule of the domain."""

from datetime import UTC, datetime, timedelta
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tracking.domain.batch import TIMES_US
from tracking.domain.values import check_step, clean_map, clean_row, clean_tags, clean_text
from tracking.errors import InvalidInput

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECONDS_FROM = 2e10  # a greater number of seconds would lie beyond the year 2603


class TextField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        return clean_text(data, str(self.field_name))


class TagsField(serializers.ListField):
    child = serializers.CharField()

    def to_internal_value(self, data: Any) -> list[str]:
        return clean_tags(data, str(self.field_name))


class MapField(serializers.DictField):
    def to_internal_value(self, data: Any) -> dict[str, Any]:
        return clean_map(data, str(self.field_name))


class RowField(serializers.DictField):
    child = serializers.FloatField()

    def to_internal_value(self, data: Any) -> dict[str, float]:
        return clean_row(data)


class StepField(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        return check_step(data)


@extend_schema_field({"oneOf": [{"type": "string", "format": "date-time"}, {"type": "number"}]})
class TimeField(serializers.Field[int, Any, Any, Any]):
    """UTC microseconds of ISO text, of UNIX seconds or of UNIX milliseconds."""

    def to_internal_value(self, data: Any) -> int:
        try:
            time_us = _microseconds(data)
        except (ValueError, OverflowError):
            time_us = None
        if time_us is None or time_us not in TIMES_US:
            raise InvalidInput(
                f"{self.field_name} must be ISO 8601 text, or a number: UNIX seconds or"
                " milliseconds.",
                field=str(self.field_name),
            )
        return time_us


def _microseconds(data: Any) -> int | None:
    if isinstance(data, str):
        moment = datetime.fromisoformat(data)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - EPOCH) // timedelta(microseconds=1)
    if isinstance(data, bool) or not isinstance(data, int | float):
        return None
    return round(data * (1_000 if abs(data) > MILLISECONDS_FROM else 1_000_000))
