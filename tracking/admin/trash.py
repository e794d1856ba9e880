"""The trash in the admin: a filter shows it, and there deleting is for good."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from tracking.admin import cells
from tracking.admin.deleting import WeighedDeletion
from tracking.domain.deletion import DOOMED
from tracking.domain.trash import Discarded
from tracking.domain.weights import Weight

IN_TRASH = "yes"


class TrashFilter(admin.SimpleListFilter):
    title = parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(IN_TRASH, "in the trash")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Which rows these are, `TrashAdmin.get_queryset` says."""
        return queryset


def shows_trash(request: HttpRequest) -> bool:
    return request.GET.get(TrashFilter.parameter_name) == IN_TRASH


class TrashAdmin(WeighedDeletion):
    """Of what can be restored."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        if not shows_trash(request):
            return super().get_queryset(request)
        manager: Any = self.model
        return manager.everything.filter(deleted_at__gt=DOOMED)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        return None if found is None or found.deleted_at else found

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        """What lies there has no page."""
        return (
            None if shows_trash(request) else super().get_list_display_links(request, list_display)
        )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        kept = (
            {"delete_selected", "take_out"}
            if shows_trash(request)
            else actions.keys() - {"take_out"}
        )
        return {name: action for name, action in actions.items() if name in kept}

    @admin.action(permissions=["delete"], description="Restore from the trash")
    def take_out(self, request: HttpRequest, queryset: QuerySet) -> None:
        keys = self.bring_back(queryset)
        self.message_user(request, f"{len(keys)} restored: {', '.join(keys[:20])}")

    def bring_back(self, queryset: QuerySet) -> list[str]:
        """The keys that they have now."""
        raise NotImplementedError

    def discard(self, queryset: QuerySet) -> Discarded:
        raise NotImplementedError

    def delete_for_good(self, queryset: QuerySet) -> Weight:
        raise NotImplementedError

    def frees(self, queryset: QuerySet) -> bool:
        """Whether deleting frees their room at once."""
        return not settings.TRASH_DAYS or not queryset.filter(deleted_at=None).exists()

    def delete_weighed(self, queryset: QuerySet) -> dict[str, str]:
        if self.frees(queryset):
            return cells.weight_items(self.delete_for_good(queryset))
        return cells.weight_items(self.discard(queryset).weight, is_freed=False)
