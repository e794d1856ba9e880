"""Lists in pieces: `limit` and `offset` in, a `Link` header out. The body stays a plain list."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from tracking.domain.values import INT64

Row = TypeVar("Row", bound=Model)

MAX_LIMIT = 1_000


class PageQuery(serializers.Serializer[Any]):
    """Which piece of a list is wanted."""

    limit = serializers.IntegerField(
        default=100, min_value=1, max_value=MAX_LIMIT, help_text="how many at most"
    )
    offset = serializers.IntegerField(
        default=0, min_value=0, max_value=INT64.stop - 1 - MAX_LIMIT, help_text="how many to skip"
    )

    def cut(self, request: Request, rows: QuerySet[Row]) -> tuple[list[Row], dict[str, str]]:
        """The piece, and headers that tell of the others. Two queries."""
        limit, offset = self.validated_data["limit"], self.validated_data["offset"]
        piece = list(rows[offset : offset + limit])
        return piece, self._headers(request, rows.count(), limit, offset)

    def _headers(self, request: Request, total: int, limit: int, offset: int) -> dict[str, str]:
        """`Link` (RFC 8288), and how many rows there are in all."""
        last = max(total - 1, 0) // limit * limit
        places = {
            "first": 0 if offset else None,
            "prev": max(min(offset, total) - limit, 0) if offset else None,
            "next": offset + limit if offset + limit < total else None,
            "last": last if offset + limit < total else None,
        }
        links = [
            f'<{_address(request, place)}>; rel="{name}"'
            for name, place in places.items()
            if place is not None
        ]
        return {"X-Total-Count": str(total)} | ({"Link": ", ".join(links)} if links else {})


def _address(request: Request, offset: int) -> str:
    query = request.query_params.copy()
    query["offset"] = str(offset)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
