"""The query language of run lists: `config.lr < 0.01 and tag = "baseline" and loss.min < 0.2`.

`docs/queries.md` explains it to people. A field that a run lacks fulfils no comparison; `!=`, `!~`
and `not in` are the contrary of `=`, `~` and `in`, so they hold for runs that lack the field.
"""

from django.db.models import QuerySet

from tracking.domain.query.conditions import condition_of
from tracking.domain.query.errors import QueryError
from tracking.domain.query.parsing import parse_query
from tracking.domain.query.words import MAX_LENGTH as MAX_QUERY_LENGTH
from tracking.models import Run

__all__ = ["MAX_QUERY_LENGTH", "QueryError", "filter_runs"]


def filter_runs(runs: QuerySet[Run], text: str) -> QuerySet[Run]:
    """The runs that the text describes; of an empty text all.

    Archived runs are left out unless the text names `archived`. Raises: QueryError.
    """
    query = parse_query(text)
    if not query.names_archived:
        runs = runs.filter(archived_at=None)
    return runs.filter(condition_of(query.root)) if query.root else runs
