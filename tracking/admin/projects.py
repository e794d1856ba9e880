"""Projects and who may see them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.safestring import SafeString

from tracking.admin import cells
from tracking.admin.fields import LongTextField, ProjectKeyField, TagsField
from tracking.admin.lists import LONG_PROJECT_FIELDS, SlimAdmin
from tracking.admin.storage import storage_use
from tracking.admin.trash import TrashAdmin, TrashFilter
from tracking.domain.deletion import delete_projects
from tracking.domain.retention import check_retention
from tracking.domain.trash import Discarded, discard_projects, restore_project
from tracking.domain.weights import Weight, weigh_runs
from tracking.errors import InvalidInput
from tracking.models import Membership, Project, Run


class ProjectForm(forms.ModelForm):
    key = ProjectKeyField(help_text="Letters, digits, “_” and “-”. URLs use it, and it stays.")
    description = LongTextField(widget=forms.Textarea(attrs={"rows": 2, "cols": 80}))
    notes = LongTextField(help_text="Markdown.")
    tags = TagsField()

    class Meta:
        model = Project
        fields = [
            *("key", "name", "owner", "is_public", "description", "notes", "tags"),
            *("keep_full_days", "keep_thinned_days", "quota_bytes"),
        ]
        help_texts = {
            "keep_full_days": "After the end of a run it keeps all points. Empty: for ever.",
            "keep_thinned_days": "Then thinned series for so many days more. Empty: for ever.",
            "quota_bytes": "Empty: what the server grants. 0: no limit.",
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        rules = {name: cleaned.get(name) for name in ("keep_full_days", "keep_thinned_days")}
        try:
            check_retention(**rules)
        except InvalidInput as error:
            self.add_error(error.field, str(error))
        return cleaned


class MemberInline(admin.TabularInline):
    """Those who are in: their role may change, and they may be shown the door."""

    model = Membership
    verbose_name_plural = "members"
    fields = ["user", "role"]
    readonly_fields = ["user"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("user", "project")

    def has_add_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        return False


class NewMembers(BaseInlineFormSet):
    def clean(self) -> None:
        """Django does not check a UniqueConstraint that has the parent's key in it."""
        super().clean()
        of_project = Membership.objects.filter(project_id=self.instance.pk)
        members = set(of_project.values_list("user_id", flat=True))
        for form in self.forms:
            user = form.cleaned_data.get("user") if form.is_valid() else None
            if user and user.pk in members:
                form.add_error("user", f"{user} is a member already.")


class NewMemberInline(admin.TabularInline):
    """Those who are let in. A form of its own: one user field, however many are in already."""

    model = Membership
    formset = NewMembers
    verbose_name = "member"
    verbose_name_plural = "new members"
    fields = ["user", "role"]
    autocomplete_fields = ["user"]
    extra = 1

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).none()


@admin.register(Project)
class ProjectAdmin(TrashAdmin, SlimAdmin):
    form = ProjectForm
    list_display = [
        *("shown_key", "page", "shown_name", "owner", "is_public", "runs", "latest", "tag_list"),
    ]
    list_select_related = ["owner"]
    list_defer = LONG_PROJECT_FIELDS
    list_filter = ["is_public", ("namespace", admin.EmptyFieldListFilter), TrashFilter]
    date_hierarchy = "created_at"
    search_fields = ["key", "name", "namespace", "owner__username", "description", "tags"]
    search_help_text = "Key, name, owner, description or tag"
    autocomplete_fields = ["owner"]
    actions = ["make_public", "make_private", "take_out"]
    readonly_fields = ["namespace", "runs", "created", "updated"]
    fieldsets = [
        (None, {"fields": ["key", "name", "namespace", "owner", "is_public", "runs"]}),
        ("Storage", {"fields": ["keep_full_days", "keep_thinned_days", "quota_bytes"]}),
        ("About", {"fields": ["description", "notes", "tags", "created", "updated"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        of_project = Run.objects.filter(project=OuterRef("pk")).order_by().values("project")
        newest = Run.objects.filter(project=OuterRef("pk")).order_by("-started_at", "-pk")
        return (
            super()
            .get_queryset(request)
            .annotate(
                run_count=Subquery(of_project.annotate(n=Count("pk")).values("n")),
                newest_start=Subquery(newest.values("started_at")[:1]),
            )
        )

    def get_urls(self) -> list[Any]:
        storage = self.admin_site.admin_view(self.storage_use)
        return [path("storage/", storage, name="tracking_project_storage"), *super().get_urls()]

    def storage_use(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = self.admin_site.each_context(request) | {"opts": self.opts}
        return storage_use(request, context)

    def get_inlines(self, request: HttpRequest, obj: Project | None) -> list[type]:
        return [MemberInline, NewMemberInline] if obj else [NewMemberInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Project | None = None) -> list[str]:
        return [*self.readonly_fields, "key"] if obj else [*self.readonly_fields]

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "owner" and field:
            field.widget.can_delete_related = False  # beside a project that is too easily meant
        return field

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"owner": request.user.pk} | super().get_changeform_initial_data(request)

    @admin.display(description="key", ordering="key")
    def shown_key(self, project: Project) -> SafeString:
        return cells.clip(project.key)

    @admin.display(description="name", ordering="name")
    def shown_name(self, project: Project) -> SafeString:
        return cells.clip(project.name)

    @admin.display
    def created(self, project: Project) -> str:
        return cells.exact_time(project.created_at)

    @admin.display(description="last changed")
    def updated(self, project: Project) -> str:
        return cells.exact_time(project.updated_at)

    @admin.display(ordering="run_count")
    def runs(self, project: Project) -> SafeString | str:
        count = getattr(project, "run_count", None) or 0
        return cells.list_link(Run, f"{count:,}", project=project.pk) if count else "0"

    @admin.display(description="latest run", ordering="newest_start")
    def latest(self, project: Project) -> SafeString | str:
        return cells.age(getattr(project, "newest_start", None))

    @admin.display(description="tags")
    def tag_list(self, project: Project) -> SafeString:
        return cells.clip(cells.tag_list(project.tags))

    @admin.display(description="page")
    def page(self, project: Project) -> SafeString:
        return cells.page_link(cells.project_page(project))

    def view_on_site(self, project: Project) -> str:
        return cells.project_page(project)

    @admin.action(
        permissions=["change"], description="Make public: everybody who signs in may see them"
    )
    def make_public(self, request: HttpRequest, projects: QuerySet[Project]) -> None:
        self._publish(request, projects, is_public=True)

    @admin.action(permissions=["change"], description="Make private: only members may see them")
    def make_private(self, request: HttpRequest, projects: QuerySet[Project]) -> None:
        self._publish(request, projects, is_public=False)

    def _publish(
        self, request: HttpRequest, projects: QuerySet[Project], *, is_public: bool
    ) -> None:
        changed = list(projects.exclude(is_public=is_public))
        for project in changed:
            project.is_public = is_public
            project.save(update_fields=["is_public", "updated_at"])
            self.log_change(request, project, f"Made {'public' if is_public else 'private'}.")
        self.message_user(request, f"{len(changed)} changed.")

    def weigh(self, queryset: QuerySet[Project]) -> dict[str, str]:
        runs = Run.everything.filter(project__in=queryset.order_by().values("pk"))
        weight = cells.weight_items(weigh_runs(runs), is_freed=self.frees(queryset))
        return {"runs": f"{runs.count():,}"} | weight

    def discard(self, queryset: QuerySet[Project]) -> Discarded:
        return discard_projects(queryset)

    def delete_for_good(self, queryset: QuerySet[Project]) -> Weight:
        return delete_projects(queryset)

    def bring_back(self, queryset: QuerySet[Project]) -> list[str]:
        return [restore_project(project).key for project in queryset.order_by("deleted_at")]
