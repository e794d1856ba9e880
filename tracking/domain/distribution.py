"""What makes of a PostgreSQL one that Citus spreads over machines: tables that grow, by run.

Points, metrics, rows, log lines and watermarks of a run lie together on one machine. Runs and what
they hang from lie on every machine, whole: no two runs of a project may have one key, which nobody
could see to if each machine knew only some of them.
"""

from collections.abc import Iterator

from django.db.models import Model

from tracking.models import LogLine, Metric, MetricPoint, Producer, Project, RowBlock, Run, User

SPREAD: tuple[type[Model], ...] = (Metric, MetricPoint, RowBlock, LogLine, Producer)
WHOLE: tuple[type[Model], ...] = (User, Project, Run)  # in the order of their references


def key_statements() -> Iterator[str]:
    """Primary keys that carry the run. Any PostgreSQL takes them; each locks its table meanwhile."""
    for table in map(_table, SPREAD):
        yield f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY (run_id, id);"


def undo_statements() -> Iterator[str]:
    for table in map(_table, SPREAD):
        yield f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY (id);"
        if _table(Producer) == table:  # whose run may be missing, says its model
            yield f"ALTER TABLE {table} ALTER run_id DROP NOT NULL;"


def spread_statements() -> Iterator[str]:
    """Citus' own."""
    for model in WHOLE:
        yield f"SELECT create_reference_table('{_table(model)}');"
    first, *others = map(_table, SPREAD)
    yield f"SELECT create_distributed_table('{first}', 'run_id');"
    for table in others:
        yield f"SELECT create_distributed_table('{table}', 'run_id', colocate_with => '{first}');"


def _table(model: type[Model]) -> str:
    return model._meta.db_table  # noqa: SLF001 -- Django's documented Model _meta API
