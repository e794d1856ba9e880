"""From the tree of a query to a condition of Django's ORM. What users typed goes in as parameters.

Every condition holds or does not; there is no third way. So `not` turns exactly what was false into
what is true: that a field is missing makes a comparison false.
"""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from django.db.models import BooleanField, Case, Q, Value, When
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IContains,
    IsNull,
    LessThan,
    LessThanOrEqual,
)
from django.utils import timezone

from tracking.domain.fields import ATTRIBUTES, Field, value_of
from tracking.domain.json_values import (
    HasTag,
    JsonFlag,
    JsonKind,
    JsonNumber,
    JsonText,
    TagContains,
)
from tracking.domain.query.errors import QueryError
from tracking.domain.query.literals import Moment, read_moment, read_number, read_seconds
from tracking.domain.query.tree import All, AnyOf, Comparison, Mention, Missing, Node, Not, Word
from tracking.enums import RunStatus

LOOKUPS: dict[str, Callable[[Any, Any], Any]] = {
    "=": Exact,
    "<": LessThan,
    "<=": LessThanOrEqual,
    ">": GreaterThan,
    ">=": GreaterThanOrEqual,
    "~": IContains,
}
STATUSES = [*RunStatus.values, "stale"]


def condition_of(node: Node, *, negated: bool = False) -> Q:
    """Raises: QueryError."""
    if isinstance(node, Not):
        return condition_of(node.item, negated=not negated)
    if isinstance(node, All | AnyOf):
        parts = [condition_of(item, negated=negated) for item in node.items]
        return Q(*parts, _connector=Q.AND if isinstance(node, All) is not negated else Q.OR)
    condition = _condition_of_leaf(node)
    return _contrary(condition) if negated else condition


def _contrary(condition: Q) -> Q:
    """SQL's NOT leaves what is unknown unknown."""
    fails, holds = Value(value=False), Value(value=True)
    return Q(Case(When(condition, then=fails), default=holds, output_field=BooleanField()))


def _condition_of_leaf(node: Comparison | Missing | Mention) -> Q:
    if isinstance(node, Mention):
        named = Q(name__icontains=node.text) | Q(key__icontains=node.text)
        return named | Q(TagContains(node.text))
    if isinstance(node, Missing):
        return _missing(node.field)
    compare = COMPARE[node.field.kind]
    return Q(*(compare(node, node.sign, value) for value in node.values), _connector=Q.OR)


def _missing(field: Field) -> Q:
    if field.kind == "any":
        return Q(IsNull(JsonKind(field.source, field.path), rhs=True))
    if field.kind == "tags":
        return Q(tags=[])
    nothing = Q(IsNull(value_of(field), rhs=True))
    return nothing | Q(Exact(value_of(field), "")) if field.kind == "text" else nothing


# ── One comparison of each kind of field ─────────────────────────────────────


def _compare_json(node: Comparison, sign: str, word: Word) -> Q:
    source, path = node.field.source, node.field.path
    if sign != "~" and not word.is_quoted:
        if word.text in {"true", "false"}:
            _require(node, sign, "=")
            return Q(Exact(JsonFlag(source, path), word.text))
        if (number := read_number(word.text)) is not None:
            return Q(LOOKUPS[sign](JsonNumber(source, path), number))
    return Q(LOOKUPS[sign](JsonText(source, path), word.text))


def _compare_number(node: Comparison, sign: str, word: Word) -> Q:
    _require(node, sign, "= < <= > >=")
    number = None if word.is_quoted else read_number(word.text)
    if number is None:
        what = f"{_shown(node.field)} is a number, '{_short(word)}' is none."
        raise QueryError(what + _did_you_mean(node.field), word.start, word.end)
    return Q(LOOKUPS[sign](value_of(node.field), number))


def _compare_text(node: Comparison, sign: str, word: Word) -> Q:
    if node.field.name == "status":
        _require(node, sign, "= ~")
        if sign == "=" and word.text not in STATUSES:
            told = f"No run is '{_short(word)}'. A run is {', '.join(STATUSES)}."
            raise QueryError(told, word.start, word.end)
    return Q(LOOKUPS[sign](value_of(node.field), word.text))


def _compare_time(node: Comparison, sign: str, word: Word) -> Q:
    """A day is all of its hours: `=` is within it, `>` after its end."""
    _require(node, sign, "= < <= > >=")
    moment = read_moment(word.text, timezone.now())
    if moment is None:
        told = f"'{_short(word)}' is no time: write 2026-01-31, 2026-01-31T12:00, or an age: 2d."
        raise QueryError(told, word.start, word.end)
    if sign == "=" and moment.start == moment.end:
        raise QueryError("An age goes with < or >, a day with =.", word.start, word.end)
    value = value_of(node.field)
    if sign == "=":
        return Q(GreaterThanOrEqual(value, moment.start), LessThan(value, moment.end))
    return Q(LOOKUPS[_edge_sign(sign, moment)](value, _edge(sign, moment)))


def _edge(sign: str, moment: Moment) -> Any:
    return moment.start if sign in {"<", ">="} else moment.end


def _edge_sign(sign: str, moment: Moment) -> str:
    if moment.start == moment.end:
        return sign
    return {"<=": "<", ">": ">="}.get(sign, sign)


def _compare_duration(node: Comparison, sign: str, word: Word) -> Q:
    _require(node, sign, "= < <= > >=")
    seconds = read_number(word.text)
    seconds = read_seconds(word.text) if seconds is None else seconds
    if seconds is None:
        told = f"'{_short(word)}' is no duration: write 90s, 30m, 2h, 1h30m or 7d."
        raise QueryError(told, word.start, word.end)
    return Q(LOOKUPS[sign](value_of(node.field), float(seconds)))


def _compare_tags(node: Comparison, sign: str, word: Word) -> Q:
    _require(node, sign, "= ~")
    tags = HasTag if sign == "=" else TagContains
    return Q(tags(word.text))


def _compare_flag(node: Comparison, sign: str, word: Word) -> Q:
    _require(node, sign, "=")
    if word.text not in {"true", "false"}:
        told = f"{_shown(node.field)} is true or false, not '{_short(word)}'."
        raise QueryError(told, word.start, word.end)
    return Q(IsNull(value_of(node.field), word.text == "false"))


COMPARE: dict[str, Callable[[Comparison, str, Word], Q]] = {
    "any": _compare_json,
    "number": _compare_number,
    "text": _compare_text,
    "time": _compare_time,
    "duration": _compare_duration,
    "tags": _compare_tags,
    "flag": _compare_flag,
}


def _require(node: Comparison, sign: str, allowed: str) -> None:
    if sign not in allowed.split():
        signs = allowed.replace("=", "= !=", 1).replace("~", "~ !~")
        told = f"'{node.operator.text}' does not go with {_shown(node.field)}: it takes {signs}."
        raise QueryError(told, node.operator.start, node.operator.end)


def _shown(field: Field) -> str:
    return f"'{field.name[:40]}'"


def _short(word: Word) -> str:
    return word.text if len(word.text) <= 40 else word.text[:40] + "…"


def _did_you_mean(field: Field) -> str:
    """Any name may be a metric, also a misspelt attribute."""
    near = get_close_matches(field.name, [*ATTRIBUTES, "tag"], n=1)
    return f" Did you mean '{near[0]}'?" if near and field.source == "metric" else ""
