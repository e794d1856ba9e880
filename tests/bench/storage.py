"""Bytes a settled point takes, beside the 24 raw ones."""

from django.db.models import Sum
from django.db.models.functions import Length

from tests.bench.charts import fill
from tests.bench.measure import Figure
from tracking.models import Metric, MetricPoint


def figures() -> list[Figure]:
    runs = fill("storage", 10, 4, 20_000)
    rows = MetricPoint.objects.filter(run__in=runs)
    count = Metric.objects.filter(run__in=runs).aggregate(total=Sum("count"))["total"]
    size = rows.aggregate(total=Sum(Length("data")))["total"]
    return [
        Figure(
            "stored bytes of a settled point",
            size / count,
            "bytes",
            "raw columns",
            24.0,
            "≤ 0.333",
            count,
        )
    ]
