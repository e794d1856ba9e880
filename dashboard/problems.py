"""A filter that cannot be understood, as the page shows it."""

from dataclasses import dataclass

from tracking.domain.query import QueryError


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a query text, with the words before and after the wrong one."""

    reason: str
    before: str
    wrong: str
    after: str


def explain(text: str, error: QueryError) -> Problem:
    start, end = error.start, error.end
    return Problem(str(error), text[:start], text[start:end], text[end:])
