"""Metric rows by name, remembered by the process: the hot path may not look them up each time."""

from collections import OrderedDict

from django.conf import settings
from django.db import transaction

from tracking.errors import LimitExceeded
from tracking.models import Metric

METRIC = Metric._meta.db_table  # noqa: SLF001 -- Django's documented Model _meta API
RUNS_REMEMBERED = 1_000  # about 10 KB each at a hundred metrics

_ids: OrderedDict[int, dict[str, int]] = OrderedDict()


class StaleMetricIds(Exception):
    """A remembered id belongs to no row any more. The writer forgets all and tries again."""


def find_metric_ids(run_id: int, names: list[str]) -> list[int]:
    """The ids of the run's metrics of these names, creating those that are new.

    What is remembered comes from committed transactions only. Raises: LimitExceeded.
    """
    known = _ids.get(run_id, {})
    if not all(name in known for name in names):
        known = _load_metric_ids(run_id, names)
        transaction.on_commit(lambda: _remember(run_id, known))
    return [known[name] for name in names]


def _load_metric_ids(run_id: int, names: list[str]) -> dict[str, int]:
    rows = Metric.objects.filter(run_id=run_id).order_by()
    stored = dict(rows.values_list("name", "id"))
    news = [name for name in names if name not in stored]
    if len(stored) + len(news) > settings.MAX_METRICS_PER_RUN:
        raise LimitExceeded(
            f"A run may have at most {settings.MAX_METRICS_PER_RUN} metric names.", field="metrics"
        )
    if not news:
        return stored
    Metric.objects.bulk_create(
        [Metric(run_id=run_id, name=name) for name in news], ignore_conflicts=True
    )
    return dict(rows.values_list("name", "id"))


def _remember(run_id: int, ids: dict[str, int]) -> None:
    _ids[run_id] = ids
    _ids.move_to_end(run_id)
    while len(_ids) > RUNS_REMEMBERED:
        _ids.popitem(last=False)


def forget_metric_ids() -> None:
    """After a rollback nothing that was remembered meanwhile may be trusted."""
    _ids.clear()
