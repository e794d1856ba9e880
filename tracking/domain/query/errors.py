"""What is wrong with a query text, and where."""

from tracking.errors import InvalidInput


class QueryError(InvalidInput):
    """`text[start:end]` is the wrong word."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message, field="q")
        self.start = start
        self.end = end
