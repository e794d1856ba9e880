import math
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from ml_dash import ConfigurationError, Experiment


def rows(experiment: Experiment, stream: str | None = "m") -> list[dict[str, Any]]:
    return [row["data"] for row in experiment.metrics(stream).read()["data"]]


def test_rows_keep_what_they_were_given(experiment: Experiment) -> None:
    logged: dict[str, Any] = {
        "f": 0.5,
        "i": 2**62,
        "b": True,
        "t": "text",
        "none": None,
        "list": [1, "a", None],
        "map": {"x": {"y": 1}},
        "inf": math.inf,
        "": 0,
    }
    experiment.metrics("m").log(**logged, nan=math.nan, _ts=5)

    (row,) = rows(experiment)
    assert math.isnan(row.pop("nan"))
    assert row == {**logged, "_ts": 5.0}


def test_builder_of_a_name_is_one_and_keeps_its_first_words(experiment: Experiment) -> None:
    metric = experiment.metrics("m", description="d", tags=["t"], metadata={"u": "s"})

    assert experiment.metrics("m", description="other") is metric
    assert metric.log(a=1).log(a=2) is metric
    words = {key: metric.stats()[key] for key in ("name", "description", "tags", "metadata")}
    assert words == {"name": "m", "description": "d", "tags": ["t"], "metadata": {"u": "s"}}


def test_groups_share_values_and_time(experiment: Experiment) -> None:
    assert experiment.metrics.log(epoch=1, a={"x": 1}, b={"epoch": 2}, _ts=7) is experiment.metrics
    experiment.metrics.log(epoch=3, _ts=8)

    assert rows(experiment, "a") == [{"epoch": 1, "x": 1, "_ts": 7.0}]
    assert rows(experiment, "b") == [{"epoch": 2, "_ts": 7.0}]
    assert rows(experiment, None) == [{"epoch": 1, "_ts": 7.0}, {"epoch": 3, "_ts": 8.0}]
    assert [metric["name"] for metric in experiment.metrics.list_all()] == [None, "a", "b"]
    assert experiment.metrics.stats()["lastValue"] == {"epoch": 3, "_ts": 8.0}


def test_group_may_have_any_keys_and_a_time_of_its_own(experiment: Experiment) -> None:
    experiment.metrics.log(epoch=1, a={0: 0.5, None: 1}, b={"_ts": 5, "_flush": 2}, _ts=7)

    assert rows(experiment, "a") == [{"epoch": 1, "0": 0.5, "None": 1, "_ts": 7.0}]
    assert rows(experiment, "b") == [{"epoch": 1, "_flush": 2, "_ts": 5.0}]


def test_text_that_names_a_number_stays_text(experiment: Experiment) -> None:
    experiment.metrics("m").log(a="NaN", b=["Infinity", -math.inf], _ts=1)

    assert rows(experiment) == [{"a": "NaN", "b": ["Infinity", -math.inf], "_ts": 1.0}]


def test_group_that_is_refused_leaves_no_row_of_the_others(local: Experiment) -> None:
    with pytest.raises(TypeError):
        local.metrics.log(a={"x": 1}, b={"x": object()})

    assert rows(local, "a") == []


def test_time_is_now_or_given_or_that_of_the_row_before(local: Experiment) -> None:
    metric, before = local.metrics("m"), time.time()
    metric.log(a=1)
    metric.log(a=2, _ts=-1)
    metric.log(a=3, _ts=0)
    local.metrics("other").log(a=4, _ts=-1)

    times = [row["_ts"] for row in rows(local)]
    assert before <= times[0] <= time.time()
    assert times[1:] == [times[0], 0.0]
    assert rows(local, "other")[0]["_ts"] == 0.0


@pytest.mark.parametrize("time_s", [-1e300, 1.7e12, 1e300])
def test_time_may_be_any_number(experiment: Experiment, time_s: float) -> None:
    experiment.metrics("m").log(a=1, _ts=time_s)

    assert rows(experiment) == [{"a": 1, "_ts": time_s}]


def test_time_of_another_thread_is_not_inherited(local: Experiment) -> None:
    thread = threading.Thread(target=lambda: local.metrics("m").log(a=1))
    thread.start()
    thread.join()

    with pytest.raises(ConfigurationError, match="_ts=-1 needs a row before it"):
        local.metrics("m").log(a=1, _ts=-1)
    with pytest.raises(ValueError, match="_ts must be seconds"):
        local.metrics("m").log(a=1, _ts=math.nan)


@pytest.mark.parametrize(
    "name", ["../x", "a/../b", "a\n", "/a", "data.jsonl", "x" * 251, "a\u202eb"]
)
def test_name_that_is_no_path_is_refused(local: Experiment, name: str) -> None:
    with pytest.raises(ValueError, match=r"metrics|Metrics"):
        local.metrics(name)


def test_names_may_have_slashes(experiment: Experiment) -> None:
    experiment.metrics("a").log(x=1)
    experiment.metrics("a/b c/ü").log(x=2)

    assert rows(experiment, "a/b c/ü")[0]["x"] == 2
    assert [metric["name"] for metric in experiment.metrics.list_all()] == ["a", "a/b c/ü"]


def test_pages_are_read_one_after_the_other(experiment: Experiment) -> None:
    for i in range(5):
        experiment.metrics("m").log(i=i)

    pages = [experiment.metrics("m").read(start, 2) for start in (0, 2, 4, 6)]

    assert [[row["index"] for row in page["data"]] for page in pages] == [[0, 1], [2, 3], [4], []]
    assert [(page["startIndex"], page["endIndex"]) for page in pages] == [
        *((0, 1), (2, 3), (4, 4), (6, 5)),
    ]
    assert [(page["total"], page["hasMore"]) for page in pages] == [
        *((2, True), (2, True), (1, False), (0, False)),
    ]


def test_more_is_read_than_a_server_gives_at_once(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml_dash._remote.MAX_ROWS", 2)
    for n in range(5):
        experiment.metrics("m").log(n=n)

    page = experiment.metrics("m").read(1, 10**9)

    assert [row["data"]["n"] for row in page.pop("data")] == [1, 2, 3, 4]
    assert page == {"startIndex": 1, "endIndex": 4, "total": 4, "hasMore": False}
    assert experiment.metrics("m").read(0, 3)["hasMore"]


@pytest.mark.parametrize("arguments", [(-1, 1), (0, -1), (0.5, 1), (0, True), (2**63, 1)])
def test_pages_have_whole_numbers(local: Experiment, arguments: tuple[Any, Any]) -> None:
    with pytest.raises(ValueError, match="must be a whole number from 0 on"):
        local.metrics("m").read(*arguments)


def test_stream_without_rows_is_an_empty_page_and_has_no_stats(experiment: Experiment) -> None:
    assert experiment.metrics("nothing").read() == {
        "data": [],
        "startIndex": 0,
        "endIndex": -1,
        "total": 0,
        "hasMore": False,
    }
    with pytest.raises(FileNotFoundError):
        experiment.metrics("nothing").stats()


# ── Summaries ────────────────────────────────────────────────────────────────


def summarize(experiment: Experiment, values: list[float], *names: str, **extra: Any) -> Any:
    """The row without its time."""
    for value in values:
        experiment.metrics("m").buffer(v=value)
    experiment.metrics.buffer.log_summary(*names, **extra)
    row = rows(experiment)[-1]
    del row["_ts"]
    return row


def test_each_aggregation_is_what_it_says(local: Experiment) -> None:
    names = ("mean", "std", "min", "max", "count", "median", "sum", "first", "last")
    percentiles = ("p0", "p25", "p50", "p99.9", "p100")

    row = summarize(local, [4.0, 1.0, 2.0, 3.0], *names, *percentiles, epoch=3)

    assert row == pytest.approx(
        {
            "v.mean": 2.5,
            "v.std": 1.2909944487358056,
            "v.min": 1.0,
            "v.max": 4.0,
            "v.count": 4,
            "v.median": 2.5,
            "v.sum": 10.0,
            "v.first": 4.0,
            "v.last": 3.0,
            "v.p0": 1.0,
            "v.p25": 1.75,
            "v.p50": 2.5,
            "v.p99.9": 3.997,
            "v.p100": 4.0,
            "epoch": 3,
        }
    )


@pytest.mark.parametrize("name", ["p101", "p", "p-1", "p1e1", "p99.", "variance", "", 5, "p٣"])
def test_unknown_aggregation_forgets_nothing(local: Experiment, name: str) -> None:
    local.metrics("m").buffer(v=1)

    with pytest.raises(ValueError, match=r"Unknown aggregation .* or p0 to p100"):
        local.metrics.buffer.log_summary("mean", name)

    assert local.metrics.buffer.peek("m") == {"v": [1.0]}


def test_nan_is_left_out_and_a_key_of_nothing_else_too(local: Experiment) -> None:
    local.metrics("m").buffer(v=None, w=math.nan)

    assert summarize(local, [1.0, math.nan], "mean", "count") == {"v.mean": 1.0, "v.count": 1}


def test_stream_of_nothing_but_nan_has_no_row(local: Experiment) -> None:
    local.metrics("m").buffer(v=None)
    local.metrics.buffer.log_summary()

    assert rows(local) == []


def test_extreme_values_are_summed_up(local: Experiment) -> None:
    row = summarize(local, [1e308, -1e308, math.inf], "mean", "std", "p50", "max")

    assert (row["v.mean"], row["v.p50"], row["v.max"]) == (math.inf, 1e308, math.inf)
    assert math.isnan(row["v.std"])
    assert summarize(local, [3.0], "std") == {"v.std": 0.0}


@pytest.mark.parametrize("value", ["x", [1, 2], {}, object()])
def test_what_is_no_number_is_not_buffered(local: Experiment, value: Any) -> None:
    with pytest.raises(ValueError, match="Unsupported value type for 'v'"):
        local.metrics("m").buffer(w=1, v=value)

    assert local.metrics.buffer.peek() == {}


def test_summary_covers_all_streams_or_one(local: Experiment) -> None:
    assert local.metrics("a").buffer(x=1, y=2) is None
    local.metrics("b").buffer(x=3)
    assert local.metrics.buffer.peek() == {"a/x": [1.0], "a/y": [2.0], "b/x": [3.0]}
    assert local.metrics("a").buffer.peek(None, "y") == {"y": [2.0]}

    local.metrics("b").buffer.log_summary()
    assert local.metrics.buffer.peek() == {"a/x": [1.0], "a/y": [2.0]}
    assert local.metrics.buffer.log_summary("max") is None

    assert local.metrics.buffer.peek() == {}
    assert [list(row) for row in rows(local, "a")] == [["x.max", "y.max", "_ts"]]
    assert [list(row) for row in rows(local, "b")] == [["x.mean", "_ts"]]


def test_peek_shows_the_newest_values(local: Experiment) -> None:
    for i in range(8):
        local.metrics("m").buffer(v=i)

    assert local.metrics.buffer.peek("m") == {"v": [3.0, 4.0, 5.0, 6.0, 7.0]}
    assert local.metrics.buffer.peek("m", "v", limit=1) == {"v": [7.0]}
    assert local.metrics.buffer.peek("m", limit=0) == {}
    local.metrics.buffer.log_summary()


def test_summary_cache_of_a_stream(local: Experiment) -> None:
    cache = local.metrics("m").summary_cache
    for value in (1, 3):
        cache.store(v=value)
    cache.set(epoch=2)
    assert cache.peek("v") == {"v": [1.0, 3.0]}

    cache.summarize(clear=False)
    cache.summarize()
    cache.summarize()

    wanted = {"v.mean": 2.0, "v.min": 1.0, "v.max": 3.0, "v.count": 2, "v.std": math.sqrt(2)}
    assert [{**row, "_ts": 0} for row in rows(local)] == [{"epoch": 2, **wanted, "_ts": 0}] * 2


def test_threads_log_all_their_rows(make: Callable[..., Experiment]) -> None:
    with make().run as experiment:

        def work() -> None:
            for i in range(100):
                experiment.metrics("m").log(i=i)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        page = experiment.metrics("m").read(limit=1_000)

    assert [row["index"] for row in page["data"]] == list(range(400))
    assert sum(row["data"]["i"] for row in page["data"]) == 4 * sum(range(100))


def test_values_that_are_buffered_while_others_are_summed_up_are_kept(local: Experiment) -> None:
    stop = threading.Event()

    def fill() -> None:
        for _ in range(2_000):
            local.metrics("m").buffer(x=1)
        stop.set()

    thread = threading.Thread(target=fill)
    thread.start()
    while not stop.is_set():
        local.metrics.buffer.log_summary("count")
    thread.join()
    local.metrics.buffer.log_summary("count")

    counts = [row["data"]["x.count"] for row in local.metrics("m").read(limit=10_000)["data"]]
    assert sum(counts) == 2_000


def test_summary_that_is_refused_forgets_nothing(local: Experiment) -> None:
    local.metrics("m").buffer(x=1)

    with pytest.raises(TypeError):
        local.metrics.buffer.log_summary(note=object())

    assert local.metrics.buffer.peek("m") == {"x": [1.0]}
