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

    def cut(self, rows: QuerySet[Row]) -> list[Row]:
        offset = self.validated_data["offset"]
        return list(rows[offset : offset + self.validated_data["limit"]])

    def headers(self, request: Request, *, shown: int, total: int) -> dict[str, str]:
        """`Link` (RFC 8288) to the other pieces, and how many rows there are in all.

        `shown` may be less than the limit: the next piece begins where this one ends.
        """
        limit, offset = self.validated_data["limit"], self.validated_data["offset"]
        goes_on = shown > 0 and offset + shown < total
        places = {
            "first": 0 if offset else None,
            "prev": max(min(offset, total) - limit, 0) if offset else None,
            "next": offset + shown if goes_on else None,
            "last": (total - 1) // limit * limit if goes_on else None,
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
