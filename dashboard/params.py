"""What comes in by the URL."""

from django.http import HttpRequest, QueryDict

from tracking.domain.query import MAX_QUERY_LENGTH

MAX_LENGTH = 200  # nobody types more, and SQLite refuses very long patterns


def text_param(params: QueryDict, name: str) -> str:
    """The parameter, or nothing; PostgreSQL knows no NUL."""
    return params.get(name, "")[:MAX_LENGTH].replace("\0", "")


def query_param(params: QueryDict) -> str:
    """The filter of a run list, cut where it is longer than any that is taken."""
    return params.get("q", "")[: MAX_QUERY_LENGTH + 1]


def server_url(request: HttpRequest) -> str:
    """This server's address as its visitor knows it: what a training job has to be told."""
    return request.build_absolute_uri("/").rstrip("/")
