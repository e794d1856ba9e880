import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import log_points, make_run
from tracking.domain.fields import Field, find_field, read_fields, sort_runs, suggest_fields
from tracking.domain.runs import archive_runs, finish_run
from tracking.enums import RunStatus
from tracking.errors import InvalidInput
from tracking.models import Run

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("status", Field("status", "Status", "text")),
        ("tag", Field("tags", "Tags", "tags")),
        ("exit_code", Field("exit_code", "Exit code", "number")),
        ("config.lr", Field("config.lr", "lr", "any", "config", ("lr",))),
        ("summary.a.b", Field("summary.a.b", "a.b", "any", "summary", ("a", "b"))),
        ('config."a.b"', Field('config."a.b"', "a.b", "any", "config", ("a.b",))),
        ("config.my key", Field('config."my key"', "my key", "any", "config", ("my key",))),
        ("loss", Field("loss", "loss", "number", "metric", ("loss", "last"))),
        ("loss.last", Field("loss", "loss", "number", "metric", ("loss", "last"))),
        ("loss.min", Field("loss.min", "loss (min)", "number", "metric", ("loss", "min"))),
        (
            "a.b.last_step",
            Field("a.b.last_step", "a.b (last step)", "number", "metric", ("a.b", "last_step")),
        ),
        (
            "train loss.min",
            Field(
                '"train loss".min', "train loss (min)", "number", "metric", ("train loss", "min")
            ),
        ),
        ('"status"', Field('"status"', "status", "number", "metric", ("status", "last"))),
        ('"loss.min"', Field('"loss.min"', "loss.min", "number", "metric", ("loss.min", "last"))),
        ('"config".x', Field('"config.x"', "config.x", "number", "metric", ("config.x", "last"))),
        ("-loss", Field('"-loss"', "-loss", "number", "metric", ("-loss", "last"))),
        ('"and"', Field('"and"', "and", "number", "metric", ("and", "last"))),
        ("min", Field("min", "min", "number", "metric", ("min", "last"))),
        (r'"a\"b"', Field(r'"a\"b"', 'a"b', "number", "metric", ('a"b', "last"))),
    ],
)
def test_a_name_is_a_field(name: str, expected: Field) -> None:
    assert find_field(name) == expected
    assert find_field(expected.name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".min",
        "config",
        "config.",
        "config.a..b",
        'config."a\\"b"',
        'a"b',
        '"a',
        "a\nb",
        "a" * 251,
        "config." + "a" * 251,
        "config.\0",
        "config.\ud800",
        "\ud800",
        '"' * 5_000,
        "a" * 100_000,
    ],
)
def test_some_names_are_none(name: str) -> None:
    with pytest.raises(InvalidInput):
        find_field(name)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", ["d", "c", "b", "a"]),
        ("key", ["a", "b", "c", "d"]),
        ("-name", ["d", "c", "b", "a"]),
        ("loss", ["b", "a", "d", "c"]),
        ("-loss", ["a", "b", "d", "c"]),
        ("loss.mean", ["a", "b", "d", "c"]),
        ("loss.count", ["c", "b", "a", "d"]),
        ("config.x", ["b", "a", "c", "d"]),
        ("-config.x", ["a", "b", "c", "d"]),
        ("duration", ["d", "a", "c", "b"]),
        ("-duration", ["b", "c", "a", "d"]),
        ("started", ["a", "b", "c", "d"]),
        ("-tags", ["c", "d", "a", "b"]),
        ("user", ["d", "c", "b", "a"]),
        ("exit_code", ["c", "b", "d", "a"]),
        ("status", ["c", "b", "a", "d"]),
        ("archived", ["d", "c", "b", "a"]),
        ("unknown", ["d", "c", "b", "a"]),
    ],
)
def test_missing_values_come_last_and_equal_ones_newest_first(
    sort: str, expected: list[str]
) -> None:
    runs = {
        key: make_run(key, started_at=NOON + timedelta(days=place), config=config, tags=tags)
        for place, (key, config, tags) in enumerate(
            [
                ("a", {"x": 10}, ["m"]),
                ("b", {"x": 9}, []),
                ("c", {"x": "1"}, ["z"]),
                ("d", {}, ["m"]),
            ]
        )
    }
    log_points(runs["a"], {"loss": [0.0, 1.5]})
    log_points(runs["b"], {"loss": [2.5, 0.5]})
    log_points(runs["c"], {"loss": [float("nan")]})
    for key, minutes, code in (("a", 5, None), ("b", 50, 1), ("c", 20, 1)):
        status = RunStatus.FAILED if key == "a" else RunStatus.COMPLETED
        ended = runs[key].started_at + timedelta(minutes=minutes)
        finish_run(runs[key], status=status, exit_code=code, ended_at=ended)
    last_seen = runs["d"].started_at + timedelta(minutes=1)
    Run.objects.filter(key="d").update(last_seen_at=last_seen, exit_code=2)

    assert [run.key for run in sort_runs(Run.objects.all(), sort)] == expected


@pytest.mark.django_db
def test_a_minus_in_a_name_turns_no_sort_round() -> None:
    for key, value in (("a", 1.0), ("b", 0.0)):
        log_points(make_run(key), {"-loss": [value]})
    name = find_field("-loss").name

    assert [run.key for run in sort_runs(Run.objects.all(), name)] == ["b", "a"]
    assert [run.key for run in sort_runs(Run.objects.all(), f"-{name}")] == ["a", "b"]


PLAIN: dict[str, Any] = {
    "status": "failed",
    "name": "a",
    "tags": ["x", "é"],
    "user": "local",
    "started": NOON,
    "ended": NOON + timedelta(seconds=90.5),
    "duration": timedelta(seconds=90.5),
    "notes": "n",
    "source": "aspara",
    "exit_code": 3,
    "archived": True,
    "config.a.b": 1,
    "config.a": {"b": 1},
    "config.f": 0.5,
    "config.t": "1",
    "config.yes": True,
    "config.no": False,
    "config.nil": None,
    "config.l": [1, {}],
    "config.unknown": None,
    "summary.x": None,
    "loss": 3.0,
    "loss.min": 1.0,
    "loss.mean": 2.0,
    "loss.count": 2,
    "loss.last_step": 1,
    "nan": math.nan,
    "nan.min": None,
    "nan.last_step": 0,
    "unknown": None,
}


@pytest.mark.django_db
def test_fields_are_read_as_plain_values() -> None:
    config = {
        "a": {"b": 1},
        "f": 0.5,
        "t": "1",
        "yes": True,
        "no": False,
        "nil": None,
        "l": [1, {}],
    }
    run = make_run("a", config=config, tags=["x", "é"], started_at=NOON, notes="n")
    other = make_run("b")
    log_points(run, {"loss": [1.0, 3.0], "nan": [float("nan")]})
    finish_run(run, status=RunStatus.FAILED, exit_code=3, ended_at=NOON + timedelta(seconds=90.5))
    archive_runs(Run.objects.filter(key="a"))
    with CaptureQueriesContext(connection) as queries:
        values = read_fields([run, other], [find_field(name) for name in PLAIN])

    assert dict(zip(PLAIN, values[run.pk], strict=True)) == PLAIN
    assert len(queries) == 2
    named = dict(zip(PLAIN, values[other.pk], strict=True))
    assert [named[name] for name in ("status", "archived", "exit_code", "config.a.b", "loss")] == (
        ["running", False, None, None, None]
    )


@pytest.mark.django_db
def test_values_stand_in_the_order_of_their_fields() -> None:
    run = make_run("a", config={"x": 1})

    assert read_fields([run], []) == {run.pk: []}
    assert read_fields([], [find_field("name")]) == {}
    assert read_fields(
        [run], [find_field("config.x"), find_field("name"), find_field("config.x")]
    ) == {run.pk: [1, "a", 1]}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("lr", 50, ["config.lr", "config.opt.lr"]),
        ("LOSS", 50, ["loss", "loss.min", "loss.max", "loss.mean", "val/loss", "val/loss.min"]),
        ("loss.mi", 50, ["loss.min", "val/loss.min"]),
        ("stat", 50, ["status"]),
        ("config.", 50, ["config.a/b", "config.lr", 'config."my key"', "config.opt.lr"]),
        ("summary", 50, ["summary.acc"]),
        ("zzz", 50, []),
        ("", 4, ["status", "config.a/b", "summary.acc", "loss"]),
    ],
)
def test_suggestions_are_what_the_newest_runs_have(
    text: str, limit: int, expected: list[str]
) -> None:
    run = make_run("a", config={"lr": 1, "opt": {"lr": 2}, "my key": 3, "a/b": 4, 'q"': 5})
    Run.objects.filter(pk=run.pk).update(summary={"acc": 1})
    log_points(run, {"loss": [1.0], "val/loss": [1.0]})

    names = [field.name for field in suggest_fields(Run.objects.all(), text, limit=limit)]

    assert names[: len(expected)] == expected
    assert len(names) == len(expected) or text == "LOSS"


@pytest.mark.django_db
def test_suggestions_take_two_queries_however_many_runs_there_are() -> None:
    for key in ("a", "b", "c"):
        log_points(make_run(key, config={"x": 1}), {"loss": [1.0]})

    with CaptureQueriesContext(connection) as queries:
        suggest_fields(Run.objects.all())

    assert len(queries) == 2
