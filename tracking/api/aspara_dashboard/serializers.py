"""The words of the dashboard API."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from tracking.domain.series import Series, Window
from tracking.domain.values import INT64

MAX_SMOOTH = 0.999999  # beyond that a curve is a flat line


class NamesField(serializers.CharField):
    """Names with commas between them; spaces around them do not count, repeats collapse."""

    def to_internal_value(self, data: Any) -> list[str]:  # type: ignore[override]
        text = super().to_internal_value(data)
        return list(
            dict.fromkeys(name for name in (part.strip() for part in text.split(",")) if name)
        )


class SeriesQuery(serializers.Serializer[Any]):
    """Which points of which metrics are wanted."""

    metrics = NamesField(required=False, max_length=100_000, help_text="only these metrics")
    metric = serializers.ListField(
        required=False,
        max_length=1_000,
        child=serializers.CharField(trim_whitespace=False),
        help_text="only this metric, whatever is in its name; may be repeated",
    )
    max_points = serializers.IntegerField(
        required=False, min_value=10, max_value=100_000, help_text="per series; spikes are kept"
    )
    x_min = serializers.IntegerField(
        required=False, min_value=INT64.start, max_value=INT64.stop - 1
    )
    x_max = serializers.IntegerField(
        required=False, min_value=INT64.start, max_value=INT64.stop - 1
    )
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

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["raw"] and "smooth" in asked:
            raise serializers.ValidationError({"smooth": "Raw points cannot be smoothed."})
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
            smooth=asked.get("smooth"),
        )


class RunsSeriesQuery(SeriesQuery):
    runs = NamesField(max_length=1_000_000, help_text="names of runs, with commas between them")

    def validate_runs(self, names: list[str]) -> list[str]:
        if not names:
            raise serializers.ValidationError("No valid runs specified")
        if len(names) > settings.MAX_RUNS_PER_REQUEST:
            raise serializers.ValidationError(
                f"Too many runs: {len(names)} (max: {settings.MAX_RUNS_PER_REQUEST})"
            )
        return names


def metrics_by_run(series: list[Series]) -> dict[str, dict[str, dict[str, Any]]]:
    """`{metric: {run: {steps, values, timestamps}}}`, timestamps in UNIX ms."""
    answer: dict[str, dict[str, dict[str, Any]]] = {}
    for one in series:
        answer.setdefault(one.metric, {})[one.run_key] = _columns(one)
    return answer


def _columns(series: Series) -> dict[str, Any]:
    columns = {
        "steps": series.columns.steps,
        "values": series.columns.values,
        "timestamps": series.columns.times_us // 1000,
    }
    if series.smoothed is not None:
        columns["smoothed"] = series.smoothed
    return columns
