"""Files of runs: what people say of them may change, their bytes may only go."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from tracking.admin import cells
from tracking.admin.deleting import WeighedDeletion
from tracking.admin.fields import LongTextField, TagsField
from tracking.admin.lists import (
    FIRST_ROWS,
    UNSHOWN_OF_RUN,
    FirstRowsInline,
    RunFilter,
    RunProjectFilter,
    SlimAdmin,
)
from tracking.domain.artifacts import delete_artifacts, describe_artifact
from tracking.models import Artifact


class ArtifactForm(forms.ModelForm):
    description = LongTextField()
    tags = TagsField()

    class Meta:
        model = Artifact
        fields = ["category", "description", "tags"]


class PresenceFilter(admin.SimpleListFilter):
    title = "file"
    parameter_name = "file"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("there", "there"), ("gone", "replaced or deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "there":
                return queryset.filter(deleted_at=None)
            case "gone":
                return queryset.exclude(deleted_at=None)
        return queryset


class ArtifactCells:
    @admin.display(ordering="size_bytes")
    def size(self, artifact: Artifact) -> str:
        return cells.size(artifact.size_bytes)

    @admin.display(ordering="created_at")
    def stored(self, artifact: Artifact) -> SafeString | str:
        return cells.age(artifact.created_at)

    @admin.display(description="file")
    def download(self, artifact: Artifact) -> SafeString | str:
        if artifact.deleted_at:
            return "replaced or deleted"
        run = artifact.run
        url = reverse("dashboard:artifact", args=[run.project.key, run.key, artifact.pk])
        return cells.link(url, "Download")


class ArtifactInline(ArtifactCells, FirstRowsInline):
    model = Artifact
    verbose_name_plural = f"the first {FIRST_ROWS} files"
    readonly_fields = ["link", "category", "size", "stored", "download"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        files = super().get_queryset(request).filter(deleted_at=None)
        return files.select_related("run__project")

    @admin.display(description="name")
    def link(self, artifact: Artifact) -> SafeString:
        return cells.object_link(artifact)


@admin.register(Artifact)
class ArtifactAdmin(ArtifactCells, WeighedDeletion, SlimAdmin):
    form = ArtifactForm
    list_display = ["shown_name", "run_link", "category", "size", "stored", "tag_list", "download"]
    list_select_related = ["run__project"]
    list_defer = [*UNSHOWN_OF_RUN, "metadata"]
    list_filter = ["category", PresenceFilter, RunProjectFilter, RunFilter]
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-pk"]
    search_fields = [
        *("name", "path", "description", "tags", "^sha256", "run__key", "run__project__key"),
    ]
    search_help_text = "Name, description, tag, SHA-256, run or project"
    readonly_fields = [
        *("name", "path", "run_link", "size", "download", "content_type", "sha256"),
        *("stored", "deleted", "shown_metadata", "bindr_list", "dash_id"),
    ]
    fieldsets = [
        (None, {"fields": ["name", "path", "run_link", "size", "download"]}),
        ("What people say", {"fields": ["category", "description", "tags", "bindr_list"]}),
        (
            "Facts",
            {
                "fields": [
                    "content_type",
                    "sha256",
                    "dash_id",
                    "stored",
                    "deleted",
                    "shown_metadata",
                ]
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        files = super().get_queryset(request).filter(run__deleted_at=None)
        return files.select_related("run__project")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Files come by the API, with their run."""
        return False

    @admin.display(description="name", ordering="name")
    def shown_name(self, artifact: Artifact) -> SafeString:
        return cells.clip(str(artifact))

    @admin.display(description="run")
    def run_link(self, artifact: Artifact) -> SafeString:
        return cells.run_link(artifact.run)

    @admin.display(description="tags")
    def tag_list(self, artifact: Artifact) -> SafeString:
        return cells.clip(cells.tag_list(artifact.tags))

    @admin.display(description="bindrs")
    def bindr_list(self, artifact: Artifact) -> SafeString:
        return cells.clip(cells.tag_list(artifact.bindrs))

    @admin.display(description="id in ML-Dash")
    def dash_id(self, artifact: Artifact) -> str:
        return str(artifact.uid)

    @admin.display(description="replaced or deleted")
    def deleted(self, artifact: Artifact) -> str:
        return cells.exact_time(artifact.deleted_at)

    @admin.display(description="metadata")
    def shown_metadata(self, artifact: Artifact) -> SafeString | str:
        return cells.json_text(artifact.metadata)

    def view_on_site(self, artifact: Artifact) -> str:
        return cells.run_page(artifact.run)

    def save_model(self, request: HttpRequest, obj: Artifact, form: Any, change: bool) -> None:
        if form.changed_data:
            describe_artifact(obj, **{name: form.cleaned_data[name] for name in form.changed_data})

    def weigh(self, queryset: QuerySet[Artifact]) -> dict[str, str]:
        there = queryset.filter(deleted_at=None).order_by()
        return {"freed": cells.size(there.aggregate(total=Sum("size_bytes"))["total"])}

    def delete_weighed(self, queryset: QuerySet[Artifact]) -> dict[str, str]:
        return {"freed": cells.size(delete_artifacts(queryset))}
