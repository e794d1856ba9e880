"""What is in the trash is there for nobody but the trash."""

from typing import TypeVar

from django.db import models
from django.db.models import QuerySet

Row = TypeVar("Row", bound=models.Model)


class KeptManager(models.Manager[Row]):
    """Rows that were not deleted. Joins look through it: who joins, filters."""

    def get_queryset(self) -> QuerySet[Row]:
        return super().get_queryset().filter(deleted_at=None)
