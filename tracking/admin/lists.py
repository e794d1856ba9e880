"""Lists that stay quick when their table is large."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.functional import cached_property

from tracking.models import Metric, Project, Run

COUNT_AT_MOST = 10_000  # rows; who looks for a later one narrows the list
PROJECTS_LISTED = 50
FIRST_ROWS = 25  # of an inline; beside it stands a link to all
# What may be long, and no list shows.
LONG_RUN_FIELDS = ("config", "summary", "metadata", "notes", "readme", "bindrs")
LONG_PROJECT_FIELDS = ("description", "notes")
UNSHOWN_OF_RUN = [
    *(f"run__{name}" for name in LONG_RUN_FIELDS),
    *(f"run__project__{name}" for name in LONG_PROJECT_FIELDS),
]


class CappedPaginator(Paginator):
    """Counts up to COUNT_AT_MOST rows and shows those."""

    object_list: QuerySet

    @cached_property
    def _counted(self) -> int:
        return self.object_list.order_by().values("pk")[: COUNT_AT_MOST + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self._counted, COUNT_AT_MOST)

    @property
    def is_capped(self) -> bool:
        return self._counted > COUNT_AT_MOST


class SlimList(ChangeList):
    """A list that leaves the long columns in the database."""

    model_admin: "SlimAdmin"

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet:
        return super().get_queryset(request, *args, **kwargs).defer(*self.model_admin.list_defer)


class SlimAdmin(admin.ModelAdmin):
    list_defer: ClassVar[Iterable[str]] = ()
    show_full_result_count = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SlimList


class ViewOnly(admin.options.BaseModelAdmin):
    """To look at, for everybody: its `readonly_fields` are its fields."""

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.readonly_fields

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class FirstRows(BaseInlineFormSet):
    @cached_property
    def _first_rows(self) -> Any:
        return super().get_queryset()[:FIRST_ROWS]

    def get_queryset(self) -> Any:
        return self._first_rows


class FirstRowsInline(ViewOnly, admin.TabularInline):
    formset = FirstRows
    extra = 0


class RecordAdmin(ViewOnly, SlimAdmin):
    """For what machines write: large tables of rows that belong to a run and nobody changes."""

    list_select_related: ClassVar[list[str]] = ["run__project"]
    list_defer = UNSHOWN_OF_RUN
    list_per_page = 50
    ordering = ["-pk"]
    paginator = CappedPaginator
    show_facets = admin.ShowFacets.NEVER
    sortable_by: ClassVar[list[str]] = []

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Of runs that are there, not in the trash."""
        rows = super().get_queryset(request).filter(run__deleted_at=None)
        return rows.select_related(*self.list_select_related)


class ChosenFilter(admin.SimpleListFilter):
    """What a link has narrowed the list to. It shows only then, and offers to drop it."""

    chosen_model: type[Model]
    field: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if self.value() is None:
            return []
        chosen = self.chosen_model._default_manager.filter(pk=self.chosen_id or 0)  # noqa: SLF001 -- Django's documented Manager API
        names = [(str(one.pk), str(one)) for one in chosen]
        return names or [(str(self.value()), "not there any more")]

    @property
    def chosen_id(self) -> int | None:
        text = self.value() or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() is None:
            return queryset
        return queryset.filter(**{self.field: self.chosen_id or 0})


class RunFilter(ChosenFilter):
    title = "run"
    parameter_name = "run"
    field = "run_id"
    chosen_model = Run


class MetricFilter(ChosenFilter):
    title = "metric"
    parameter_name = "metric"
    field = "metric_id"
    chosen_model = Metric


class ProjectFilter(ChosenFilter):
    """The first projects by key, and the chosen one."""

    title = "project"
    parameter_name = "project"
    field = "project_id"
    chosen_model = Project

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        first = Project.objects.order_by("key").values_list("pk", "key")[:PROJECTS_LISTED]
        listed = [(str(pk), key) for pk, key in first]
        if self.value() is None or self.value() in dict(listed):
            return listed
        return super().lookups(request, model_admin) + listed


class RunProjectFilter(ProjectFilter):
    field = "run__project_id"
