"""Deleting in the admin: through the domain, with what it frees told before and after."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import capfirst

from tracking.admin.cells import object_link

SHOWN = 50  # objects named on the page that asks whether one is sure


class WeighedDeletion(admin.ModelAdmin):
    """Django's own way would load every point to list it, and leave the files behind."""

    def weigh(self, queryset: QuerySet) -> dict[str, str]:
        """What goes with these objects, for people."""
        raise NotImplementedError

    def delete_weighed(self, queryset: QuerySet) -> dict[str, str]:
        """Delete the objects by the domain's verb; tells what went with them."""
        raise NotImplementedError

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, Any], set[str], list[str]]:
        queryset = objs if isinstance(objs, QuerySet) else self._only(objs[0])
        count = len(objs)
        name = capfirst(self.opts.verbose_name)
        named: list[str] = [format_html("{}: {}", name, object_link(one)) for one in objs[:SHOWN]]
        if count > SHOWN:
            named.append(f"… and {count - SHOWN:,} more")
        weight: dict[str, Any] = {str(self.opts.verbose_name_plural): f"{count:,}"} | self.weigh(
            queryset
        )
        lacking = set() if self.has_delete_permission(request) else {str(self.opts.verbose_name)}
        return named, weight, lacking, []

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.delete_queryset(request, self._only(obj))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        gone = self.delete_weighed(queryset)
        self.message_user(request, ", ".join(f"{count} {name}" for name, count in gone.items()))

    def _only(self, obj: Model) -> QuerySet:
        return self.model._default_manager.filter(pk=obj.pk)  # noqa: SLF001 -- Django's documented Manager API
