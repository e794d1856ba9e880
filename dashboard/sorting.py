"""How a run list is sorted, and the value that each run is sorted by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import QueryDict
from django.utils import timezone

from dashboard.templatetags.dashboard_format import age_text, as_text, duration, figure
from tracking.domain.fields import Field, find_field, read_fields
from tracking.models import Run

# What the menu offers beside any field that one may type.
SORTS = {"": "Newest", "started": "Oldest", "name": "Name", "-duration": "Longest"}
SHOWN_ALREADY = {"name", "key", "status"}
LONGEST_VALUE = 24  # characters beside a run's name


@dataclass(frozen=True, slots=True)
class Sort:
    """`text` is what the URL says; `field` is None for the newest first."""

    text: str
    field: Field | None

    @property
    def is_descending(self) -> bool:
        return self.text.startswith("-") or not self.text

    @property
    def label(self) -> str:
        return SORTS.get(self.text) or (self.field.name if self.field else "")

    @property
    def reverse(self) -> str:
        """The same the other way round."""
        if not self.text:
            return "started"
        return self.text[1:] if self.is_descending else f"-{self.text}"


@dataclass(frozen=True, slots=True)
class Value:
    shown: str
    full: str


def sort_of(params: QueryDict) -> Sort:
    """Raises: InvalidInput."""
    text = params.get("sort", "").strip()
    text = "" if text in {"-", "-started"} else text
    return Sort(text, find_field(text.removeprefix("-")) if text else None)


def sort_values(runs: Sequence[Run], sort: Sort) -> dict[int, Value]:
    """Run id → what it is sorted by, where its row does not show that anyway. A query, or none."""
    if sort.field is None or sort.field.name in SHOWN_ALREADY:
        return {}
    values = read_fields(runs, [sort.field])
    return {run_id: _shown(value) for run_id, (value,) in values.items()}


def _shown(value: Any) -> Value:
    if value is None or value == []:
        return Value("–", "")
    if isinstance(value, datetime):
        return Value(age_text(timezone.now() - value), f"{value:%Y-%m-%d %H:%M:%S} UTC")
    if isinstance(value, timedelta):
        return Value(duration(value), f"{value.total_seconds():g} s")
    text = ", ".join(value) if isinstance(value, list) and all(map(_is_text, value)) else ""
    shown = text or figure(value)
    return Value(shown[:LONGEST_VALUE], text or as_text(value)[:300])


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
