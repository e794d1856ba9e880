"""Any text is understood or refused; what is understood finds what Python would find."""

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import log_points, make_run
from tracking.domain.query import QueryError, filter_runs
from tracking.models import Run

pytestmark = pytest.mark.django_db

BOUNDED = settings(
    deadline=None,
    max_examples=150,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
FIELDS = ["loss", "config.x", "config.", '"a".min', "tag", "status", "archived", "started", "user"]
SIGNS = ["(", ")", ",", "=", "!=", "<", "<=", ">", "~", "!~", "=>", "and", "or", "not", "in", "is"]
LITERALS = ["null", "1", "-0.5", "1e999", "2h", "2026-01-31", "true", "stale", '"a"', "'b'"]
DEBRIS = ['"', "'", "\\", "é", "\0", "&&", "[", "config", "duration"]
WORDS = FIELDS + SIGNS + LITERALS + DEBRIS
PYTHON: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "~": lambda value, word: word.lower() in value.lower(),
    "!~": lambda value, word: word.lower() in value.lower(),
}
VALUES = [1, 0, -2.5, 10**15 + 1, "1", "ab", "B", "%", "NaN", True, False, None, [1], {"y": 1}]


def refusal(text: str) -> QueryError | None:
    try:
        list(filter_runs(Run.objects.all(), text))
    except QueryError as error:
        return error
    return None


@BOUNDED
@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_any_text_is_understood_or_refused_with_its_place(text: str) -> None:
    error = refusal(text)

    assert error is None or (0 <= error.start < error.end <= len(text) and str(error))


# ── Random queries and their meaning ─────────────────────────────────────────

Meaning = Callable[[dict[str, Any]], bool]
Described = tuple[str, Meaning]  # the text of a query, and what Python makes of a row


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "flag"
    return {int: "number", float: "number", str: "text"}.get(type(value), "none")


def _compared(name: str, sign: str, literal: Any) -> Described:
    shown = (
        f'"{literal}"'
        if isinstance(literal, str)
        else str(literal).replace("T", "t").replace("F", "f")
    )

    def holds(row: dict[str, Any]) -> bool:
        value = row.get(name)
        is_true = _kind(value) == _kind(literal) and PYTHON[sign](value, literal)
        return is_true is not sign.startswith("!")

    return f"{name} {sign} {shown}", holds


def _signs(literal: Any) -> list[str]:
    kind = _kind(literal)
    if kind == "flag":
        return ["=", "!="]
    return list(PYTHON) if kind == "text" else [sign for sign in PYTHON if "~" not in sign]


def _tagged(tag: str) -> Described:
    return f'tag = "{tag}"', lambda row: tag in row["tags"]


def _missing(name: str) -> Described:
    return f"{name} is null", lambda row: row.get(name) is None


def _not(item: Described) -> Described:
    return f"not ({item[0]})", lambda row: not item[1](row)


def _join(word: str, fold: Callable[[Any], bool], items: list[Described]) -> Described:
    text = f" {word} ".join(f"({item[0]})" for item in items)
    return text, lambda row: fold([item[1](row) for item in items])


CONFIG = st.sampled_from([value for value in VALUES if _kind(value) != "none"]).flatmap(
    lambda literal: st.sampled_from(_signs(literal)).map(
        lambda sign: _compared("config.x", sign, literal)
    )
)
METRICS = st.tuples(
    st.sampled_from(["loss", "loss.min"]), st.sampled_from([0, 0.5, -3]), st.sampled_from(_signs(0))
).map(lambda drawn: _compared(drawn[0], drawn[2], drawn[1]))
LEAVES = (
    CONFIG
    | METRICS
    | st.sampled_from(["a", "b", "c"]).map(_tagged)
    | st.sampled_from(["config.x", "loss"]).map(_missing)
)
QUERIES = st.recursive(
    LEAVES,
    lambda inner: (
        inner.map(_not)
        | st.lists(inner, min_size=1, max_size=3).map(lambda items: _join("and", all, items))
        | st.lists(inner, min_size=1, max_size=3).map(lambda items: _join("or", any, items))
    ),
    max_leaves=10,
)


def _make_rows() -> dict[str, dict[str, Any]]:
    rows = {}
    for place, value in enumerate(VALUES):
        run = make_run(f"r{place}", config={"x": value}, tags=["a", "b"][: place % 3])
        losses = [[], [0.5, 0.0], [-3.0, 0.5], [float("nan"), 1.0], [2.0, float("nan")]][place % 5]
        if losses:
            log_points(run, {"loss": losses})
        metric = run.metrics.first()
        rows[run.key] = {
            "config.x": value,
            "tags": run.tags,
            "loss": metric and metric.last,
            "loss.min": metric and metric.min,
        }
    return rows


def test_a_query_finds_what_python_finds() -> None:
    rows = _make_rows()

    @BOUNDED
    @given(QUERIES)
    def check(query: Described) -> None:
        text, holds = query
        found = {run.key for run in filter_runs(Run.objects.all(), text)}
        assert found == {key for key, row in rows.items() if holds(row)}

    check()
