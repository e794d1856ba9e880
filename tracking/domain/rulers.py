"""The points of the metric that is an axis: of each run, and of each of its streams."""

from collections.abc import Collection, Iterable

from tracking.domain.axes import Axis
from tracking.domain.downsample import chart_order
from tracking.models import Metric, MetricPoint, RowBlock
from tracking.points import Columns


class Rulers:
    """A step is the number of a row in its stream, so it says nothing of the rows of other streams.

    There the field of that name is the ruler: `train/epoch` or `epoch` as the axis measures
    `eval/loss` by `eval/epoch`. Three queries; none where the axis is no metric.
    """

    def __init__(self, run_ids: Collection[int], axis: Axis) -> None:
        self._axis = axis.metric
        self._streams: dict[int, list[str]] = {}
        self._columns: dict[tuple[int, str], Columns] = {}
        if axis.metric:
            self._read(run_ids)

    def find(self, run_id: int, metric: str) -> Columns | None:
        """What measures this metric of the run, in chart order."""
        streams = self._streams.get(run_id, [])
        return self._columns.get((run_id, _beside(metric, self._axis, streams)))

    def _read(self, run_ids: Collection[int]) -> None:
        blocks = RowBlock.objects.filter(run__in=run_ids).order_by()
        for run_id, stream in blocks.values_list("run", "stream").distinct():
            self._streams.setdefault(run_id, []).append(stream)
        metrics = Metric.objects.filter(run__in=run_ids, name__in=self._names())
        places = {
            pk: (run_id, name) for pk, run_id, name in metrics.values_list("pk", "run", "name")
        }
        arrays = MetricPoint.objects.filter(metric__in=metrics.order_by().values("pk")).arrays()
        self._columns = {
            places[pk]: chart_order(columns) for pk, columns in arrays.items() if pk in places
        }

    def _names(self) -> set[str]:
        """The axis in all streams of all runs."""
        return {self._axis} | {
            _join(stream, _split(self._axis, streams)[1])
            for streams in self._streams.values()
            for stream in streams
        }


def _beside(metric: str, axis: str, streams: Iterable[str]) -> str:
    """The name of the axis in the metric's own stream."""
    return _join(_split(metric, streams)[0], _split(axis, streams)[1]) if streams else axis


def _split(name: str, streams: Iterable[str]) -> tuple[str, str]:
    """Stream and field. The longest stream that fits: streams have slashes in their names too."""
    fitting = [stream for stream in streams if stream and name.startswith(f"{stream}/")]
    stream = max(fitting, key=len, default="")
    return (stream, name[len(stream) + 1 :]) if stream else ("", name)


def _join(stream: str, field: str) -> str:
    return f"{stream}/{field}" if stream else field
