"""Fields of runs: what one may filter by, sort by and show in a column, under one name each.

`status` is an attribute of the run, `config.lr` and `summary.acc` are values in its JSON, and any
other name is a metric: `loss` its last value, `loss.min` its least. Quotes take a name as it is:
`"train loss".min`, `"status"`, `config."a.b"`.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, islice, zip_longest
from typing import Any

from django.conf import settings
from django.db.models import (
    Case,
    F,
    FloatField,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import Combinable, ExpressionWrapper
from django.db.models.functions import Cast, Coalesce, Lower, NullIf
from django.utils import timezone

from tracking.domain.json_values import (
    JsonDump,
    JsonFlag,
    JsonKind,
    JsonNumber,
    JsonText,
    Number,
    Path,
    read_dump,
)
from tracking.enums import RunStatus
from tracking.errors import InvalidInput
from tracking.models import NAME_LENGTH, Metric, Run

ATTRIBUTES = {
    "status": ("Status", "text"),
    "name": ("Name", "text"),
    "key": ("Key", "text"),
    "folder": ("Folder", "text"),
    "tags": ("Tags", "tags"),
    "user": ("User", "text"),
    "started": ("Started", "time"),
    "ended": ("Ended", "time"),
    "duration": ("Duration", "duration"),
    "notes": ("Notes", "text"),
    "source": ("Source", "text"),
    "exit_code": ("Exit code", "number"),
    "archived": ("Archived", "flag"),
}
JSON_COLUMNS = ("config", "summary")
STATS = ("last", "min", "max", "mean", "count", "last_step")
QUERY_WORDS = {"and", "or", "not", "in", "is", "null", "true", "false", "&", "&&", "|", "||", "tag"}
# Not with a quote or, as `-` turns a sort round, a minus in front.
PLAIN_WORD = re.compile(r"""[^\s"'=!<>~(),-][^\s"=!<>~(),]*""")
_PART = r'"(?:[^"\\]|\\.)*"|[^".]*'
PART = re.compile(rf"(?:^|\.)({_PART})", re.DOTALL)
DOTTED = re.compile(rf"(?:{_PART})(?:\.(?:{_PART}))*", re.DOTALL)
LONGEST = 3 * NAME_LENGTH  # a name of which each letter is escaped, and then some
RUNS_ASKED = 200  # suggestions: what the newest runs have is what people look for
SUGGESTED_STATS = STATS[:4]


@dataclass(frozen=True, slots=True)
class Field:
    """`name` is what finds the field again, in a URL or a query text. Kind `any`: a JSON value."""

    name: str
    label: str
    kind: str  # number, text, time, duration, tags, flag, any
    source: str = "run"  # run, config, summary, metric
    path: Path = ()  # the keys in the JSON; or the metric's name and its figure


def find_field(name: str) -> Field:
    """The field of that name; metrics and keys need not exist. Raises: InvalidInput."""
    attribute = "tags" if name == "tag" else name
    if attribute in ATTRIBUTES:
        return Field(attribute, *ATTRIBUTES[attribute])
    parts = _parts_of(name)
    (first, is_quoted), rest = parts[0], parts[1:]
    if first in JSON_COLUMNS and not is_quoted:
        return json_field(first, tuple(part for part, _ in rest))
    (last, is_quoted) = parts[-1]
    if rest and last in STATS and not is_quoted:
        return metric_field(".".join(part for part, _ in parts[:-1]), last)
    return metric_field(".".join(part for part, _ in parts))


def json_field(column: str, parts: Path) -> Field:
    """A value in the config or the summary. Raises: InvalidInput."""
    label = ".".join(parts)
    if not parts:
        raise InvalidInput(f"'{column}' needs a key: '{column}.lr', say.", field="field")
    if not all(parts) or '"' in label or len(label) > NAME_LENGTH or not _is_sound(label):
        raise InvalidInput(f"No key of a {column} can be called {label[:80]!r}.", field="field")
    name = ".".join([column, *(part if _is_plain_key(part) else quote(part) for part in parts)])
    return Field(name, label, "any", column, parts)


def metric_field(metric: str, stat: str = "last") -> Field:
    """A figure of a metric. Raises: InvalidInput."""
    if not 0 < len(metric) <= NAME_LENGTH or not metric.isprintable():
        raise InvalidInput(f"No metric can be called {metric[:80]!r}.", field="field")
    name = metric if _is_plain_metric(metric) else quote(metric)
    if stat == "last":
        return Field(name, metric, "number", "metric", (metric, stat))
    label = f"{metric} ({stat.replace('_', ' ')})"
    return Field(f"{name}.{stat}", label, "number", "metric", (metric, stat))


def _is_plain_key(part: str) -> bool:
    return "." not in part and bool(PLAIN_WORD.fullmatch(part))


def _is_plain_metric(metric: str) -> bool:
    first, last = metric.partition(".")[0], metric.rpartition(".")[2]
    if metric in ATTRIBUTES or metric.lower() in QUERY_WORDS or first in JSON_COLUMNS:
        return False
    return bool(PLAIN_WORD.fullmatch(metric)) and not ("." in metric and last in STATS)


def _is_sound(text: str) -> bool:
    """PostgreSQL knows no NUL, and no encoding knows half a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def quote(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def unquote(text: str) -> str:
    """What stands between quotes: a backslash takes the next quote or backslash as it is."""
    return re.sub(r"""\\(["'\\])""", r"\1", text)


def _parts_of(name: str) -> list[tuple[str, bool]]:
    """The dotted parts of a name, and whether each was quoted. Raises: InvalidInput."""
    if len(name) > LONGEST or not DOTTED.fullmatch(name):
        raise InvalidInput(
            f"There is no field {name[:80]!r}: put the whole name in quotes.", field="field"
        )
    parts = [match[1] for match in PART.finditer(name)]
    return [(unquote(part[1:-1]), True) if part[:1] == '"' else (part, False) for part in parts]


# ── In the database ──────────────────────────────────────────────────────────


class SecondsBetween(Func):
    """The duration in seconds, to the millisecond. Django's own subtraction runs in Python here."""

    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "ROUND((JULIANDAY(%(expressions)s)) * 86400.0, 3)"
        return super().as_sql(
            compiler, connection, template=template, arg_joiner=") - JULIANDAY(", **extra
        )

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "ROUND(EXTRACT(EPOCH FROM (%(expressions)s))::numeric, 3)::double precision"
        return super().as_sql(compiler, connection, template=template, arg_joiner=" - ", **extra)


def value_of(field: Field) -> Combinable:
    """The value of a field that is no JSON value; NULL where it is missing."""
    if field.source == "metric":
        return Subquery(_metric_value(*field.path))
    return _attribute_values()[field.name]


def _attribute_values() -> dict[str, Combinable]:
    silent_since = timezone.now() - timedelta(seconds=settings.STALE_AFTER_S)
    is_stale = Q(status=RunStatus.RUNNING, last_seen_at__lt=silent_since)
    return {
        "status": Case(When(is_stale, then=Value("stale")), default=F("status")),
        "user": F("created_by__username"),
        "started": F("started_at"),
        "ended": F("ended_at"),
        "duration": SecondsBetween(Coalesce("ended_at", "last_seen_at"), F("started_at")),
        "exit_code": ExpressionWrapper(F("exit_code"), output_field=Number()),
        "archived": F("archived_at"),
        **{name: F(name) for name in ("name", "key", "folder", "notes", "source", "tags")},
    }


def _metric_value(metric: str, stat: str) -> QuerySet[Metric, Any]:
    rows = Metric.objects.filter(run=OuterRef("pk"), name=metric).order_by()
    mean = F("sum") / Cast(NullIf("finite_count", 0), FloatField())
    source = mean if stat == "mean" else F(stat)
    value = ExpressionWrapper(source, output_field=Number())
    return rows.annotate(value=value).values("value")[:1]


def sort_runs(runs: QuerySet[Run], sort: str) -> QuerySet[Run]:
    """Sorted by a field, `-` in front for descending; empty: newest first.

    Missing values come last both ways, equal ones newest first. Numbers of a JSON value come before
    its texts, and those before its flags. Raises: InvalidInput.
    """
    newest = ("-started_at", "-pk")
    if not sort:
        return runs.order_by(*newest)
    is_descending = sort.startswith("-")
    orders = [
        key.desc(nulls_last=True) if is_descending else key.asc(nulls_last=True)
        for key in _sort_keys(find_field(sort.removeprefix("-")))
    ]
    return runs.order_by(*orders, *newest)


def _sort_keys(field: Field) -> list[Any]:
    if field.kind == "any":
        return [kind(field.source, field.path) for kind in (JsonNumber, JsonText, JsonFlag)]
    if field.kind == "tags":
        return [F("tags__0")]
    if field.name in {"name", "key"}:
        return [Lower(field.name), F(field.name)]
    return [value_of(field)]


# ── Out of the database ──────────────────────────────────────────────────────


def read_fields(runs: Sequence[Run], fields: Sequence[Field]) -> dict[int, list[Any]]:
    """Run id → a plain value for each field; None where it is missing. At most two queries.

    A last value that is NaN is there: `Metric.last` does not tell it from a missing one. Times are datetimes, durations timedeltas, tags lists of texts, JSON values what JSON says.
    """
    run_ids = [run.pk for run in runs]
    metrics = _read_metrics(run_ids, fields)
    rows = _read_rows(run_ids, fields)
    return {
        run_id: [
            metrics.get((run_id, field.path))
            if field.source == "metric"
            else _plain(field, rows.get(run_id, {}), place)
            for place, field in enumerate(fields)
        ]
        for run_id in run_ids
    }


def _read_metrics(run_ids: list[int], fields: Sequence[Field]) -> dict[tuple[int, Path], Any]:
    names = {field.path[0] for field in fields if field.source == "metric"}
    if not names:
        return {}
    found = Metric.objects.filter(run__in=run_ids, name__in=names).order_by()
    return {(m.run_id, (m.name, stat)): _stat_of(m, stat) for m in found for stat in STATS}


def _stat_of(metric: Metric, stat: str) -> Any:
    value = getattr(metric, stat)
    is_nan = stat == "last" and value is None and metric.last_step is not None
    return math.nan if is_nan else value


def _read_rows(run_ids: list[int], fields: Sequence[Field]) -> dict[int, dict[str, Any]]:
    wanted: dict[str, Any] = {}
    attributes = _attribute_values()
    for place, field in enumerate(fields):
        if field.kind == "any":
            wanted[f"kind_{place}"] = JsonKind(field.source, field.path)
            wanted[f"value_{place}"] = JsonDump(field.source, field.path)
        elif field.source == "run":
            wanted[f"value_{place}"] = attributes[field.name]
    if not wanted:
        return {}
    rows: Any = Run.objects.filter(pk__in=run_ids).order_by().values("pk", **wanted)
    return {row["pk"]: row for row in rows}


def _plain(field: Field, row: dict[str, Any], place: int) -> Any:
    value: Any = row.get(f"value_{place}")
    if field.kind == "any":
        return read_dump(row.get(f"kind_{place}"), value)
    if field.kind == "duration":
        return None if value is None else timedelta(seconds=value)
    if field.kind == "flag":
        return value is not None
    return value


# ── For people who type ──────────────────────────────────────────────────────


def suggest_fields(runs: QuerySet[Run], text: str = "", *, limit: int = 50) -> list[Field]:
    """Fields with the text in their names that the newest 200 of these runs have. Two queries.

    Attributes come first, then config, summary and metrics, in each those that begin with the text;
    where there are too many, each sort gets its share.
    """
    newest = runs.order_by("-started_at", "-pk").values_list("pk", *JSON_COLUMNS)[:RUNS_ASKED]
    rows = list(newest)
    groups = [
        [find_field(name) for name in ATTRIBUTES],
        _known_keys("config", (config for _, config, _ in rows)),
        _known_keys("summary", (summary for _, _, summary in rows)),
        _known_metrics([run_id for run_id, _, _ in rows], text.lower(), limit),
    ]
    wanted = [_best_matches(group, text.lower()) for group in groups]
    in_turn = chain.from_iterable(zip_longest(*wanted))
    taken = set(islice(filter(None, in_turn), limit))
    return [field for group in wanted for field in group if field in taken]


def _best_matches(fields: Iterable[Field], needle: str) -> list[Field]:
    found = [field for field in fields if needle in field.name.lower()]
    return sorted(found, key=lambda field: not field.label.lower().startswith(needle))


def _known_keys(column: str, trees: Iterable[Any]) -> list[Field]:
    paths = sorted({path for tree in trees for path in _leaf_paths(tree, ())})
    fields = []
    for path in paths:
        with suppress(InvalidInput):  # a key that nothing can ask for
            fields.append(json_field(column, path))
    return fields


def _leaf_paths(node: Any, path: Path) -> Iterator[Path]:
    if isinstance(node, dict) and (node or not path):
        for key, child in node.items():
            yield from _leaf_paths(child, (*path, key))
    else:
        yield path


def _known_metrics(run_ids: list[int], needle: str, limit: int) -> list[Field]:
    """`loss.mi` finds `loss.min` of the metrics that end with `loss`."""
    stem = needle.rpartition(".")[0] or "\n"  # which no name has
    rows = Metric.objects.filter(run__in=run_ids).order_by("name")
    names = [
        name
        for name in rows.values_list("name", flat=True).distinct()
        if needle in name.lower() or name.lower().endswith(stem)
    ]
    names.sort(key=lambda name: not name.lower().startswith(needle))
    return [metric_field(name, stat) for name in names[:limit] for stat in SUGGESTED_STATS]
