"""Reading a JSON column at a path, on every database, with the kind of what stands there.

Key names are parameters, never SQL. A value has one kind: a text is no number, whatever it says,
and true is not 1. Lists and objects are no values; they are there, or not.
"""

import json
import re
from typing import Any

from django.db.models import BooleanField, F, FloatField, Func, TextField, Value
from django.db.models.sql.compiler import SQLCompiler

Path = tuple[str, ...]
SPLITS_UP_TO = 4  # parts: eight ways to read `a.b.c.d`; of longer names the two extremes


def readings(parts: Path) -> tuple[Path, ...]:
    """What dotted parts may mean: keys in keys, or keys with dots in them. Deepest first."""
    if len(parts) > SPLITS_UP_TO:
        return parts, (".".join(parts),)
    if len(parts) == 1:
        return (parts,)
    nested = [(parts[0], *rest) for rest in readings(parts[1:])]
    dotted = readings((f"{parts[0]}.{parts[1]}", *parts[2:]))
    return tuple(sorted({*nested, *dotted}, key=lambda path: (-len(path), path)))


class Number(FloatField):  # type: ignore[type-arg]  # has no such argument at run time
    """A number as it was written: a whole one stays exact."""

    def get_prep_value(self, value: Any) -> Any:
        return value


class _JsonValue(Func):
    """`{kind}` and `{value}` in the templates: what stands at the first of the paths that exists."""

    sqlite = ""
    postgresql = ""

    def __init__(self, column: str, parts: Path) -> None:
        super().__init__(F(column))
        self.paths = readings(parts)

    def as_sqlite(self, compiler: SQLCompiler, *_args: Any, **_extra: Any) -> Any:
        column, params = compiler.compile(self.source_expressions[0])
        places = [
            (*params, "".join(["$", *(f".{json.dumps(p)}" for p in path)])) for path in self.paths
        ]
        return self._fill(
            self.sqlite,
            kind=_first(f"JSON_TYPE({column}, %s)" for _ in places),
            value=_first(f"JSON_EXTRACT({column}, %s)" for _ in places),
            params=[param for place in places for param in place],
        )

    def as_postgresql(self, compiler: SQLCompiler, *_args: Any, **_extra: Any) -> Any:
        column, params = compiler.compile(self.source_expressions[0])
        found = _first("(" + column + " -> %s::text" * len(path) + ")" for path in self.paths)
        return self._fill(
            self.postgresql,
            kind=f"JSONB_TYPEOF({found})",
            value=f"({found} #>> '{{}}')",
            params=[param for path in self.paths for param in (*params, *path)],
        )

    def _fill(self, template: str, *, kind: str, value: str, params: list[Any]) -> Any:
        times = template.count("{kind}") + template.count("{value}")
        return template.format(kind=kind, value=value), params * times


def _first(calls: Any) -> str:
    found = list(calls)
    return found[0] if len(found) == 1 else f"COALESCE({', '.join(found)})"


class JsonNumber(_JsonValue):
    output_field = Number()
    sqlite = "CASE WHEN {kind} IN ('integer', 'real') THEN {value} END"
    postgresql = "CASE WHEN {kind} = 'number' THEN {value}::numeric END"


class JsonText(_JsonValue):
    output_field = TextField()
    sqlite = "CASE WHEN {kind} = 'text' THEN {value} END"
    postgresql = "CASE WHEN {kind} = 'string' THEN {value} END"


class JsonFlag(_JsonValue):
    """The word `true` or `false`."""

    output_field = TextField()
    sqlite = "CASE WHEN {kind} IN ('true', 'false') THEN {kind} END"
    postgresql = "CASE WHEN {kind} = 'boolean' THEN {value} END"


class JsonKind(_JsonValue):
    """What SQLite or PostgreSQL calls it; NULL where nothing or null stands."""

    output_field = TextField()
    sqlite = "NULLIF({kind}, 'null')"
    postgresql = "NULLIF({kind}, 'null')"


class JsonDump(_JsonValue):
    """The value as the database writes it: `read_dump` takes it back with its kind."""

    output_field = TextField()
    sqlite = "CAST({value} AS TEXT)"
    postgresql = "{value}"


class HasTag(Func):
    """Whether a JSON list of texts has this one."""

    output_field = BooleanField()
    test = "tag.value = {text}"

    def __init__(self, text: str) -> None:
        super().__init__(F("tags"), Value(text, output_field=TextField()))

    def as_sqlite(self, compiler: SQLCompiler, *_args: Any, **_extra: Any) -> Any:
        return self._fill(compiler, "JSON_EACH({tags}) AS tag")

    def as_postgresql(self, compiler: SQLCompiler, *_args: Any, **_extra: Any) -> Any:
        self.test = self.test.replace(" LIKE ", " ILIKE ")
        return self._fill(compiler, "JSONB_ARRAY_ELEMENTS_TEXT({tags}) AS tag(value)")

    def _fill(self, compiler: SQLCompiler, rows: str) -> Any:
        (tags, tags_params), (text, text_params) = map(compiler.compile, self.source_expressions)
        where = self.test.format(text=text)
        sql = f"EXISTS (SELECT 1 FROM {rows.format(tags=tags)} WHERE {where})"  # noqa: S608
        return sql, (*tags_params, *text_params)


class TagContains(HasTag):
    """Whether one of the texts has this one in it; upper and lower case are the same."""

    test = "tag.value LIKE {text} ESCAPE '\\'"

    def __init__(self, text: str) -> None:
        escaped = re.sub(r"([\\%_])", r"\\\1", text)
        super().__init__(f"%{escaped}%")


def read_dump(kind: str | None, dump: str) -> Any:
    if kind is None:
        return None
    if kind in {"text", "string"}:
        return dump
    return kind == "true" if kind in {"true", "false"} else json.loads(dump)
