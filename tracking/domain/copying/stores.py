"""The databases that are copied from and to: how they are opened, held still and judged."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import dj_database_url
from django.apps import apps
from django.core.management.color import no_style
from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from tracking.domain.copying.rows import Table
from tracking.domain.locks import alone
from tracking.errors import StoreNotFit

# Ends of sign-ins and guessed passwords: nobody misses them in a new place.
LEFT_OUT = frozenset({"sessions", "axes"})
# What `migrate` writes into a new database by itself; its numbers may be others there.
OF_MIGRATE = ("auth_permission", "django_content_type")
STATE = "runyard_copying"  # a table that is there while a copy is not complete
DATABASE_FILE = "runyard.sqlite3"


def open_store(alias: str, database: dict[str, Any]) -> None:
    """Make a database known to Django as `alias`, in the place of one that was known by it."""
    close_store(alias)
    connections.settings[alias] = connections.configure_settings(
        {"default": {}, alias: {**database, "CONN_MAX_AGE": None}}
    )[alias]


def close_store(alias: str) -> None:
    if alias in connections.settings:
        connections[alias].close()
        del connections[alias]
        del connections.settings[alias]


def describe_sqlite(path: Path) -> dict[str, Any]:
    """For a store that nobody else uses: it is whole or it is thrown away."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
        },
    }


def find_store(place: str) -> dict[str, Any]:
    """A data directory, `sqlite:///path` or `postgres://…`, as Django knows it. Raises: StoreNotFit."""
    if "://" not in place or place.startswith("sqlite://"):
        path = Path(place.removeprefix("sqlite://")).expanduser().resolve()
        path = path / DATABASE_FILE if path.is_dir() else path
        if not path.is_file():
            raise StoreNotFit(f"There is no database at {path}.")
        return describe_sqlite(path)
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(place))
    except ValueError:  # its text would show the password
        found = {}
    if not str(found.get("ENGINE")).endswith("postgresql") or not found.get("NAME"):
        raise StoreNotFit(
            "It must be a data directory, sqlite:///path or postgres://user@host:5432/name."
        )
    return found


def name_store(alias: str) -> str:
    """Where it is, without a password."""
    settings = connections[alias].settings_dict
    if connections[alias].vendor == "sqlite":
        return str(settings["NAME"])
    return f"postgres://{settings['HOST'] or 'localhost'}:{settings['PORT'] or 5432}/{settings['NAME']}"


@contextmanager
def lock_data_dir(data_dir: Path) -> Iterator[None]:
    """As a server does: none may write there meanwhile. Raises: StoreNotFit."""
    with (data_dir / "serve.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreNotFit(f"A server uses {data_dir}. Stop it first.") from None
        yield


@contextmanager
def copying_alone() -> Iterator[None]:
    """Nobody else copies into this installation's database meanwhile. Raises: StoreNotFit."""
    with alone("copying", wait=False) as is_alone:
        if not is_alone:
            raise StoreNotFit("Another process copies into this database.")
        yield


@contextmanager
def held_still(alias: str) -> Iterator[None]:
    """All that is read in here is of one moment. SQLite's transaction keeps others from writing."""
    with transaction.atomic(using=alias):
        if connections[alias].vendor == "postgresql":
            execute(alias, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def execute(alias: str, statement: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The rows it answers with, if it answers with rows."""
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


@cache
def tables() -> list[Table]:
    """All that are copied; each after those that its rows point to."""
    left = {
        model: {
            field.related_model
            for field in model._meta.local_concrete_fields  # noqa: SLF001 -- Django's documented Model _meta API
            if field.related_model and field.related_model is not model
        }
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label not in LEFT_OUT  # noqa: SLF001 -- as above
    }
    found: list[type[models.Model]] = []
    while left:
        ready = [model for model, needed in left.items() if not needed & left.keys()]
        found += ready
        for model in ready:
            del left[model]
    return [Table(model) for model in found]


def require_current(alias: str) -> None:
    """Raises: StoreNotFit for a store of an older or newer version."""
    if waiting := find_waiting_migrations(alias):
        raise StoreNotFit(
            f"{name_store(alias)} has not been migrated to this version"
            f" ({waiting[0]} is missing): run `manage.py migrate` with it first."
        )


def find_waiting_migrations(alias: str) -> list[str]:
    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def is_half_copied(alias: str) -> bool:
    return STATE in connections[alias].introspection.table_names()


def require_empty(alias: str) -> None:
    """Raises: StoreNotFit, naming what is there."""
    for table in tables():
        if table.name not in OF_MIGRATE and table.rows(alias).exists():
            raise StoreNotFit(
                f"{name_store(alias)} is not empty: there are rows in {table.name}."
                " Copy into a new database."
            )


# ── The numbers of rows to come ──────────────────────────────────────────────


def last_number(alias: str, table: Table) -> int:
    """The greatest id ever given: one that was given and deleted must not be given again.

    Producers of deleted runs still point to theirs.
    """
    connection = connections[alias]
    if connection.vendor == "sqlite":
        rows = execute(alias, "SELECT seq FROM sqlite_sequence WHERE name = %s", (table.name,))
        return int(rows[0][0]) if rows else 0
    sequence = _find_sequence(connection, table)
    last, is_called = execute(alias, f"SELECT last_value, is_called FROM {sequence}")[0]  # noqa: S608 -- PostgreSQL's own name
    return int(last) if is_called else 0


def set_last_number(alias: str, table: Table, number: int) -> None:
    connection = connections[alias]
    number = max(number, table.greatest_id(alias))
    if connection.vendor == "sqlite":
        execute(alias, "DELETE FROM sqlite_sequence WHERE name = %s", (table.name,))
        execute(alias, "INSERT INTO sqlite_sequence VALUES (%s, %s)", (table.name, number))
        return
    if number:
        execute(alias, "SELECT setval(%s, %s)", (_find_sequence(connection, table), number))
    else:
        for statement in connection.ops.sequence_reset_sql(no_style(), [table.model]):
            execute(alias, statement)


def _find_sequence(connection: BaseDatabaseWrapper, table: Table) -> str:
    quoted = connection.ops.quote_name(table.name)
    asked = "SELECT pg_get_serial_sequence(%s, %s)"
    return str(execute(connection.alias, asked, (quoted, table.id_column))[0][0])
