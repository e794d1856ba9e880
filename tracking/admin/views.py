"""Saved views: who keeps which set-up of which page."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tracking.admin import cells
from tracking.admin.lists import LONG_PROJECT_FIELDS, ProjectFilter, SlimAdmin
from tracking.models import SavedView


@admin.register(SavedView)
class SavedViewAdmin(SlimAdmin):
    list_display = ["name", "project_link", "page", "created_by", "created"]
    list_select_related = ["project", "created_by"]
    list_defer = [f"project__{name}" for name in LONG_PROJECT_FIELDS]
    list_filter = ["page", ProjectFilter]
    search_fields = ["name", "project__key", "created_by__username"]
    search_help_text = "Name, project or user"
    readonly_fields = ["project_link", "page", "query", "created_by", "created"]
    fields = ["name", *readonly_fields]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(project__deleted_at=None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """One is made on the page it is about."""
        return False

    @admin.display(description="project", ordering="project__key")
    def project_link(self, view: SavedView) -> SafeString:
        return cells.object_link(view.project)

    def view_on_site(self, view: SavedView) -> str:
        return cells.view_page(view)

    @admin.display(ordering="created_at")
    def created(self, view: SavedView) -> str:
        return cells.exact_time(view.created_at)
