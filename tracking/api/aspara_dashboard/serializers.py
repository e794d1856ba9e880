"""The words of the dashboard API."""

import math
import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.validators import ProhibitNullCharactersValidator
from rest_framework import serializers

from tracking.domain.axes import STEP, Axis, read_axis
from tracking.domain.fields import Field
from tracking.domain.groups import Group, find_group_field, read_groups
from tracking.domain.series import Series, Window, read_series
from tracking.domain.values import INT64, check_metric_name
from tracking.errors import InvalidInput
from tracking.models import Run

WHOLE_NUMBER = re.compile(r"\s*[+-]?\d+\s*")
MAX_SMOOTH = 0.999999  # beyond that a curve is a flat line


class NamesField(serializers.CharField):
    """Names with commas between them; spaces around them do not count, repeats collapse."""

    def to_internal_value(self, data: Any) -> list[str]:  # type: ignore[override]
        text = super().to_internal_value(data)
        ProhibitNullCharactersValidator()(text)  # DRF would look for them in the list
        return list(
            dict.fromkeys(name for name in (part.strip() for part in text.split(",")) if name)
        )


class NumberField(serializers.FloatField):
    """A number; one written without a point stays whole: a float has no room for every step."""

    def to_internal_value(self, data: Any) -> float:
        number = super().to_internal_value(data)
        return int(data) if WHOLE_NUMBER.fullmatch(str(data)) else number


class SeriesQuery(serializers.Serializer[Any]):
    """Which points of which metrics are wanted."""

    metrics = NamesField(required=False, max_length=100_000, help_text="only these metrics")
    metric = serializers.ListField(
        required=False,
        max_length=1_000,
        child=serializers.CharField(trim_whitespace=False, allow_blank=True),
        help_text="only this metric, whatever is in its name; may be repeated",
    )
    max_points = serializers.IntegerField(
        required=False, min_value=10, max_value=100_000, help_text="per series; spikes are kept"
    )
    x_min = NumberField(required=False, help_text="in the units of x, included")
    x_max = NumberField(required=False, help_text="in the units of x, included")
    since = serializers.IntegerField(
        required=False, min_value=-(2**50), max_value=2**50, help_text="UNIX ms, included"
    )
    raw = serializers.BooleanField(default=False, help_text="every point, as it arrived")
    smooth = serializers.FloatField(
        required=False,
        min_value=0,
        max_value=MAX_SMOOTH,
        help_text="adds a column `smoothed`: the exponential moving average of all points, in which"
        " the past has this weight; NaN and infinities leave no trace in it",
    )

    x = serializers.CharField(
        default="step",
        trim_whitespace=False,
        help_text="what the points stand over: `step`, `time` (UNIX ms), `relative` (seconds since"
        " the run's start) or `metric:` and a name, which is that metric's value at the same step."
        " All but `step` add an ascending column `x`; points where the metric is missing, NaN or"
        " infinite are left out",
    )
    segments = serializers.BooleanField(
        default=False,
        help_text="where steps go back, the older points stay beside the newer ones, and `starts`"
        " tells at which places the segments begin; at most 8, with more the newest of equal steps"
        " counts. Not with `x=metric:…`",
    )
    totals = serializers.BooleanField(
        default=False,
        help_text="adds `total`: how many points the series has in this range, before any were left"
        " out for max_points. Groups have none",
    )

    def validate_metric(self, names: list[str]) -> list[str]:
        return [_checked(check_metric_name, name) for name in names]

    def validate_x(self, text: str) -> Axis:
        axis: Axis = _checked(read_axis, text)
        return axis

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        _refuse_nonsense(asked)
        _refuse_nonsense_of_groups(asked)
        if asked["x"] == STEP:
            asked |= _whole_steps(asked)
        x_min, x_max = asked.get("x_min"), asked.get("x_max")
        if x_min is not None and x_max is not None and x_min > x_max:
            raise serializers.ValidationError({"x_min": "This is beyond x_max."})
        return asked

    def names(self) -> list[str] | None:
        """The metrics asked for; None for all of them."""
        asked = [*self.validated_data.get("metrics", []), *self.validated_data.get("metric", [])]
        return asked or None

    def window(self) -> Window:
        asked = self.validated_data
        since = asked.get("since")
        return Window(
            max_points=asked.get("max_points", settings.MAX_CHART_POINTS),
            x_min=asked.get("x_min"),
            x_max=asked.get("x_max"),
            since_us=None if since is None else since * 1000,
            raw=asked["raw"],
            axis=asked["x"],
            smooth=asked.get("smooth"),
            segments=asked["segments"],
        )


def _checked(check: Callable[[str], Any], text: str) -> Any:
    """What the domain says of a text, said of the field it came in."""
    try:
        return check(text)
    except InvalidInput as error:
        raise serializers.ValidationError(str(error)) from None


def _refuse_nonsense(asked: dict[str, Any]) -> None:
    if asked["raw"] and asked["x"] != STEP:
        raise serializers.ValidationError({"x": "Raw points have no other axis than the step."})
    if asked["raw"] and "smooth" in asked:
        raise serializers.ValidationError({"smooth": "Raw points cannot be smoothed."})
    if asked["raw"] and asked["segments"]:
        raise serializers.ValidationError({"segments": "Raw points have no segments."})
    if asked["segments"] and asked["x"].metric:
        raise serializers.ValidationError({"segments": "A metric as the axis has no segments."})


def _refuse_nonsense_of_groups(asked: dict[str, Any]) -> None:
    for name in ("raw", "segments"):
        if asked.get("group") and asked[name]:
            raise serializers.ValidationError({"group": f"Groups cannot be had with {name}."})


def _whole_steps(asked: dict[str, Any]) -> dict[str, int]:
    """The range as the steps in it."""
    bounds = {}
    for name, whole in (("x_min", math.ceil), ("x_max", math.floor)):
        if name in asked:
            bounds[name] = whole(asked[name])
            if bounds[name] not in INT64:
                raise serializers.ValidationError({name: "A step must fit into 64 bits."})
    return bounds


class RunsSeriesQuery(SeriesQuery):
    runs = NamesField(
        max_length=1_000_000,
        help_text="names of runs, with commas between them",
        error_messages={"required": "No runs specified", "blank": "No runs specified"},
    )
    group = serializers.CharField(
        required=False,
        max_length=1_000,
        help_text="a field of runs, such as `config.lr`, `tags` or `status`: instead of each run its"
        " groups are answered, by the text of the field's value; runs without one are the group `–`."
        " A group has the columns `steps` (or `x`), `mean`, `min`, `max`, `counts` (how many runs"
        " have a value there) and with smooth `smoothed`; `runs` tells how many there are in all. The"
        " axis is cut into at most max_points (and 5,000) bins, in which a run counts with its mean."
        " At most 50 groups",
    )

    def validate_group(self, name: str) -> Field:
        field: Field = _checked(find_group_field, name)
        return field

    def validate_runs(self, names: list[str]) -> list[str]:
        if not names:
            raise serializers.ValidationError("No valid runs specified")
        if len(names) > settings.MAX_RUNS_PER_REQUEST:
            raise serializers.ValidationError(
                f"Too many runs: {len(names)} (max: {settings.MAX_RUNS_PER_REQUEST})"
            )
        return names


def read_metrics(runs: list[Run], query: RunsSeriesQuery) -> dict[str, dict[str, dict[str, Any]]]:
    """What the query asks for of these runs, by metric, then by run or by group."""
    if field := query.validated_data.get("group"):
        return metrics_by_group(read_groups(runs, query.window(), field, names=query.names()))
    series = read_series(runs, query.window(), names=query.names())
    return metrics_by_run(series, totals=query.validated_data["totals"])


def metrics_by_run(
    series: list[Series], *, totals: bool = False
) -> dict[str, dict[str, dict[str, Any]]]:
    """`{metric: {run: {steps, values, timestamps}}}`, timestamps in UNIX ms.

    Beside them, where they were asked for: `x`, `smoothed`, `starts` and `total`.
    """
    answer: dict[str, dict[str, dict[str, Any]]] = {}
    for one in series:
        columns = answer.setdefault(one.metric, {})[one.run_key] = _columns(one)
        if totals:
            columns["total"] = one.total
    return answer


def _columns(series: Series) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "steps": series.columns.steps,
        "values": series.columns.values,
        "timestamps": series.columns.times_us // 1000,
    }
    if series.x is not None:
        columns["x"] = series.x
    if series.smoothed is not None:
        columns["smoothed"] = series.smoothed
    if len(series.starts) > 1:
        columns["starts"] = list(series.starts)
    return columns


def metrics_by_group(groups: list[Group]) -> dict[str, dict[str, dict[str, Any]]]:
    """`{metric: {label: {steps, mean, min, max, counts, runs}}}`; `x` for steps on another axis."""
    answer: dict[str, dict[str, dict[str, Any]]] = {}
    for group in groups:
        columns: dict[str, Any] = {
            "steps" if group.places.dtype.kind == "i" else "x": group.places,
            "mean": group.mean,
            "min": group.low,
            "max": group.high,
            "counts": group.counts,
            "runs": group.size,
        }
        if group.smoothed is not None:
            columns["smoothed"] = group.smoothed
        answer.setdefault(group.metric, {})[group.label] = columns
    return answer
