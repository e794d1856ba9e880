"""What a query text finds."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from tests.factories import log_points, make_run
from tracking.domain.query import filter_runs
from tracking.domain.runs import archive_runs, finish_run
from tracking.enums import RunStatus
from tracking.models import Run

pytestmark = pytest.mark.django_db


def found(text: str) -> set[str]:
    return {run.key for run in filter_runs(Run.objects.all(), text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"int", "float", "text", "flag", "nan", "null", "list", "none"}),
        ("config.x = 1", {"int"}),
        ("config.x = 1.0", {"int"}),
        ("config.x = 0.5", {"float"}),
        ('config.x = "1"', {"text"}),
        ("config.x = true", {"flag"}),
        ('config.x = "true"', set()),
        ("config.x > 0", {"int", "float"}),
        ("config.x <= 0.5", {"float"}),
        ('config.x >= "1"', {"text", "nan"}),
        ("config.x = NaN", {"nan"}),
        ("config.x ~ AN", {"nan"}),
        ("config.x != 1", {"float", "text", "flag", "nan", "null", "list", "none"}),
        ("config.x != 1 and config.x is not null", {"float", "text", "flag", "nan", "list"}),
        ("not config.x > 0", {"text", "flag", "nan", "null", "list", "none"}),
        ("config.x is null", {"null", "none"}),
        ("config.x = null", {"null", "none"}),
        ("config.x != NULL", {"int", "float", "text", "flag", "nan", "list"}),
        ('config.x in (1, "1", true)', {"int", "text", "flag"}),
        ("config.x not in (1, 0.5)", {"text", "flag", "nan", "null", "list", "none"}),
        ("config.x !~ a", {"int", "float", "text", "flag", "null", "list", "none"}),
    ],
)
def test_json_values_compare_with_their_own_kind(text: str, expected: set[str]) -> None:
    values = {
        "int": 1,
        "float": 0.5,
        "text": "1",
        "flag": True,
        "nan": "NaN",
        "null": None,
        "list": [1],
    }
    for key, value in values.items():
        make_run(key, config={"x": value})
    make_run("none")

    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("config.a.b = 1", {"nested"}),
        ("config.a.b = 2", {"dotted"}),
        ('config."a.b" = 2', {"dotted"}),
        ('config."a.b" = 1', set()),
        ("config.a.b.c.d = 3", {"deep"}),
        ('config."a b" = 4', {"spaced"}),
        ("config.größe = 5", {"umlaut"}),
        ("config.0 = 6", {"digit"}),
        (r"config.back\slash = 7", {"slash"}),
        ("config.it's = 8", {"quote"}),
        ("config.list.0 = 1", set()),
    ],
)
def test_keys_are_found_in_objects_and_with_dots_in_them(text: str, expected: set[str]) -> None:
    for key, config in {
        "nested": {"a": {"b": 1}},
        "dotted": {"a.b": 2},
        "deep": {"a.b": {"c.d": 3}},
        "spaced": {"a b": 4},
        "umlaut": {"größe": 5},
        "digit": {"0": 6},
        "slash": {"back\\slash": 7},
        "quote": {"it's": 8},
        "list": {"list": [1]},
    }.items():
        make_run(key, config=config)

    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("loss < 1", {"good"}),
        ("loss.min < 1", {"good", "bad"}),
        ("loss.max = 4", {"bad"}),
        ("loss.mean = 2.5", {"good"}),
        ("loss.mean >= 2.25", {"good", "bad"}),
        ("loss.count = 2", {"good", "bad"}),
        ("loss.last_step = 1", {"good", "bad"}),
        ("loss.last = 0.5", {"good"}),
        ("loss != 0.5", {"bad", "nan", "none"}),
        ("loss is null", {"nan", "none"}),
        ("loss.count is null", {"none"}),
        ("loss in (0.5, 4)", {"good", "bad"}),
        ('"train/loss".min < 0', {"bad"}),
        ("train/loss < 0", {"bad"}),
        ('"loss.min" = 7', {"nan"}),
        ('"status" = 1', {"nan"}),
        ("'loss.min' = 7", {"nan"}),
        ("loss < 1 or train/loss < 0", {"good", "bad"}),
        ("unknown < 1", set()),
    ],
)
def test_metrics_compare_by_their_figures(text: str, expected: set[str]) -> None:
    log_points(make_run("good"), {"loss": [4.5, 0.5]})
    log_points(make_run("bad"), {"loss": [0.5, 4.0], "train/loss": [-1.0]})
    log_points(make_run("nan"), {"loss": [float("nan")], "loss.min": [7.0], "status": [1.0]})
    make_run("none")

    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tag = base", {"a", "b"}),
        ("tags = base", {"a", "b"}),
        ('tag = "base, line"', {"c"}),
        ("tag ~ BAS", {"a", "b", "c"}),
        ("tag != base", {"c", "d"}),
        ("tag !~ bas", {"d"}),
        ("tag in (x, 'café')", {"b"}),
        ("tag is null", {"d"}),
        ("tag is not null", {"a", "b", "c"}),
        ('tag = ", "', set()),
        ("tag ~ %", {"c"}),
        ("tag ~ _", set()),
        ("café", {"b"}),
        ("tag = base tag = café", {"b"}),
    ],
)
def test_tags_compare_one_by_one(text: str, expected: set[str]) -> None:
    for key, tags in {
        "a": ["base"],
        "b": ["base", "café"],
        "c": ["base, line", "50%"],
        "d": [],
    }.items():
        make_run(key, tags=tags)

    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status = running", {"alive"}),
        ("status = stale", {"silent"}),
        ("status in (running, stale)", {"alive", "silent"}),
        ("status != failed", {"alive", "silent"}),
        ("status ~ fail", {"ended"}),
        ("exit_code = 3", {"ended"}),
        ("exit_code = 2.5", set()),
        ("exit_code is null", {"alive", "silent"}),
        ("user = local", {"alive", "silent", "ended"}),
        ("user is null", set()),
        ("notes ~ ROPE", {"alive"}),
        ("notes is null", {"silent", "ended"}),
        ("source = aspara", {"alive", "silent", "ended"}),
        ('name = "alive"', {"alive"}),
        ("key > b", {"silent", "ended"}),
        ("duration > 1h", {"ended"}),
        ("duration = 1h30m", {"ended"}),
        ("duration = 5400", {"ended"}),
        ("duration < 90", {"alive", "silent"}),
        ("started > 2d", {"alive"}),
        ("started < 2d", {"silent", "ended"}),
        ("started = 2020-01-31", {"silent", "ended"}),
        ("started > 2020-01-31", {"alive"}),
        ("started >= 2020-01-31", {"alive", "silent", "ended"}),
        ("started < 2020-01-31", set()),
        ("started <= 2020-01-31", {"silent", "ended"}),
        ("started = 2020-01-31T12:00", {"silent", "ended"}),
        ('started = "2020-01-31 12:01"', set()),
        ("started = 2020-01-31T13:00:00+01:00", {"silent", "ended"}),
        ("ended is null", {"alive", "silent"}),
        ("ended != 2020-01-31", {"alive", "silent"}),
    ],
)
def test_attributes_compare_as_what_they_are(text: str, expected: set[str]) -> None:
    noon = datetime(2020, 1, 31, 12, tzinfo=UTC)
    make_run("alive", notes="a rope")
    silent = make_run("silent", started_at=noon)
    Run.objects.filter(pk=silent.pk).update(last_seen_at=noon)
    ended = make_run("ended", started_at=noon)
    finish_run(ended, status=RunStatus.FAILED, exit_code=3, ended_at=noon + timedelta(minutes=90))

    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alpha", {"alpha-1", "alpha-2"}),
        ("ALPHA", {"alpha-1", "alpha-2"}),
        ("alpha 2", {"alpha-2"}),
        ("beta or 2", {"alpha-2", "beta"}),
        ("alpha-1 or beta keep", {"alpha-1", "beta"}),
        ("(alpha-1 or beta) keep", {"beta"}),
        ("not alpha", {"beta"}),
        ("not not beta", {"beta"}),
        ("not (alpha or keep)", set()),
        ("alpha AND NOT 2", {"alpha-1"}),
        ('"not"', set()),
        ("an", set()),
        ('"keep"', {"beta"}),
    ],
)
def test_words_and_their_connection(text: str, expected: set[str]) -> None:
    make_run("alpha-1")
    make_run("alpha-2")
    make_run("beta", tags=["keep"])

    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"new"}),
        ("archived", {"old"}),
        ("not archived", {"new"}),
        ("archived = true", {"old"}),
        ("archived = false", {"new"}),
        ("archived in (true, false)", {"new", "old"}),
        ('"archived"', set()),
        ("not (archived and tag = x)", {"new", "old"}),
    ],
)
def test_archived_runs_are_left_out_unless_they_are_named(text: str, expected: set[str]) -> None:
    make_run("new")
    make_run("old")
    archive_runs(Run.objects.filter(key="old"))

    assert found(text) == expected


def test_a_query_keeps_to_the_runs_it_is_given() -> None:
    make_run("a", project="one")
    make_run("a", project="two")

    assert [
        run.project.key for run in filter_runs(Run.objects.filter(project__key="two"), "a")
    ] == ["two"]


def test_an_age_is_counted_from_now() -> None:
    make_run("recent", started_at=timezone.now() - timedelta(hours=23))
    make_run("older", started_at=timezone.now() - timedelta(hours=25))

    assert found("started >= 1d") == {"recent"}
