"""Runs: what they logged, what people say of them, how they ended."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from tracking.admin import cells
from tracking.admin.artifacts import ArtifactInline
from tracking.admin.fields import LongTextField, TagsField
from tracking.admin.lists import LONG_PROJECT_FIELDS, LONG_RUN_FIELDS, ProjectFilter, SlimAdmin
from tracking.admin.metrics import MetricInline
from tracking.admin.run_actions import RunActions
from tracking.admin.trash import TrashAdmin, TrashFilter
from tracking.domain.deletion import delete_runs
from tracking.domain.runs import archive_runs, close_run, update_run
from tracking.domain.trash import Discarded, discard_runs, restore_runs
from tracking.domain.weights import Weight, weigh_runs
from tracking.enums import RunStatus
from tracking.models import Artifact, LogLine, Metric, MetricPoint, Producer, RowBlock, Run


class StatusFilter(admin.SimpleListFilter):
    """The status as it is shown: a running run without a sign of life is stale."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, word) for word in ("running", "stale", "completed", "failed", "cancelled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        silent_since = timezone.now() - timedelta(seconds=settings.STALE_AFTER_S)
        match self.value():
            case "running":
                return queryset.filter(status="running", last_seen_at__gte=silent_since)
            case "stale":
                return queryset.filter(status="running", last_seen_at__lt=silent_since)
            case None:
                return queryset
            case status:
                return queryset.filter(status=status)


class RunForm(forms.ModelForm):
    tags = TagsField()
    notes = LongTextField(help_text="Markdown.")
    readme = LongTextField(help_text="Markdown.")

    class Meta:
        model = Run
        fields = ["name", "tags", "notes", "readme"]


@admin.register(Run)
class RunAdmin(RunActions, TrashAdmin, SlimAdmin):
    form = RunForm
    inlines = [MetricInline, ArtifactInline]
    list_display = [
        *("shown_key", "page", "project_link", "shown_status", "start_minute", "seen"),
        *("duration", "metrics", "files", "tag_list"),
    ]
    list_select_related = ["project"]
    list_defer = [*LONG_RUN_FIELDS, *(f"project__{name}" for name in LONG_PROJECT_FIELDS)]
    list_filter = [
        *(StatusFilter, ("archived_at", admin.EmptyFieldListFilter), "source", ProjectFilter),
        TrashFilter,
    ]
    date_hierarchy = "started_at"
    search_fields = ["key", "name", "project__key", "folder", "notes", "tags", "^uid"]
    search_help_text = "Key, name, project, folder, notes, tag or uid"
    actions = [
        *("mark_as_completed", "mark_as_failed", "mark_as_cancelled", "archive", "restore"),
        *("move", "retag", "export", "take_out"),
    ]
    readonly_fields = [
        *("project_link", "key", "shown_status", "exit_code", "created_by", "contents"),
        *("started", "seen", "ended", "duration", "archived"),
        *("shown_config", "shown_summary", "shown_metadata", "shown_bindrs"),
        *("uid", "source", "folder", "revision", "unfolded", "unfolded_points"),
    ]
    fieldsets = [
        (None, {"fields": ["project_link", "key", "shown_status", "exit_code", "contents"]}),
        ("What people say", {"fields": ["name", "tags", "notes", "readme"]}),
        ("When", {"fields": ["started", "seen", "ended", "duration", "archived", "created_by"]}),
        ("Config and summary", {"fields": ["shown_config", "shown_summary"]}),
        (
            "Machinery",
            {
                "classes": ["collapse"],
                "fields": [
                    *("uid", "source", "folder", "shown_metadata", "shown_bindrs"),
                    *("revision", "unfolded", "unfolded_points"),
                ],
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        metrics = Metric.objects.filter(run=OuterRef("pk")).order_by().values("run")
        files = Artifact.objects.filter(run=OuterRef("pk"), deleted_at=None).order_by()
        return (
            super()
            .get_queryset(request)
            .select_related("project", "created_by")
            .annotate(
                metric_count=Subquery(metrics.annotate(n=Count("pk")).values("n")),
                file_bytes=Subquery(
                    files.values("run").annotate(size=Sum("size_bytes")).values("size")
                ),
            )
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A training starts a run, nobody else."""
        return False

    @admin.display(description="key", ordering="key")
    def shown_key(self, run: Run) -> SafeString:
        return cells.clip(run.key)

    @admin.display(description="project", ordering="project__key")
    def project_link(self, run: Run) -> SafeString:
        return cells.object_link(run.project)

    @admin.display(description="status")
    def shown_status(self, run: Run) -> SafeString:
        return cells.status(run)

    @admin.display(description="started", ordering="started_at")
    def start_minute(self, run: Run) -> str:
        return cells.minute(run.started_at)

    @admin.display
    def started(self, run: Run) -> str:
        return cells.exact_time(run.started_at)

    @admin.display(description="last sign of life", ordering="last_seen_at")
    def seen(self, run: Run) -> SafeString | str:
        return cells.age(run.last_seen_at)

    @admin.display(ordering="ended_at")
    def ended(self, run: Run) -> str:
        return cells.exact_time(run.ended_at)

    @admin.display(ordering="archived_at")
    def archived(self, run: Run) -> str:
        return cells.exact_time(run.archived_at)

    @admin.display
    def duration(self, run: Run) -> SafeString:
        return cells.duration(run.duration)

    @admin.display(ordering="metric_count")
    def metrics(self, run: Run) -> SafeString | str:
        count = getattr(run, "metric_count", None) or 0
        return cells.list_link(Metric, f"{count:,}", run=run.pk) if count else "0"

    @admin.display(ordering="file_bytes")
    def files(self, run: Run) -> SafeString | str:
        file_bytes = getattr(run, "file_bytes", None)
        if file_bytes is None:
            return cells.ABSENT
        return cells.list_link(Artifact, cells.size(file_bytes), run=run.pk)

    @admin.display(description="tags")
    def tag_list(self, run: Run) -> SafeString:
        return cells.clip(cells.tag_list(run.tags))

    @admin.display
    def page(self, run: Run) -> SafeString:
        return cells.page_link(cells.run_page(run))

    @admin.display
    def contents(self, run: Run) -> SafeString:
        """Everything that lies in the run, each with a way to see all of it."""
        weight = weigh_runs(Run.objects.filter(pk=run.pk))
        links = [
            cells.list_link(Metric, f"{weight.metric_count:,} metrics", run=run.pk),
            cells.list_link(MetricPoint, f"{weight.point_count:,} points", run=run.pk),
            cells.list_link(LogLine, f"{weight.log_line_count:,} log lines", run=run.pk),
            cells.list_link(Artifact, f"{weight.file_count:,} files", run=run.pk),
            cells.list_link(RowBlock, "rows", run=run.pk),
            cells.list_link(Producer, "producers", run=run.pk),
            f"{cells.size(weight.total_bytes)} in all",
        ]
        return format_html_join(" · ", "{}", ((one,) for one in links))

    @admin.display(description="config")
    def shown_config(self, run: Run) -> SafeString | str:
        return cells.json_text(run.config)

    @admin.display(description="summary")
    def shown_summary(self, run: Run) -> SafeString | str:
        return cells.json_text(run.summary)

    @admin.display(description="metadata")
    def shown_metadata(self, run: Run) -> SafeString | str:
        return cells.json_text(run.metadata)

    @admin.display(description="bindrs")
    def shown_bindrs(self, run: Run) -> SafeString | str:
        return cells.json_text(run.bindrs)

    def view_on_site(self, run: Run) -> str:
        return cells.run_page(run)

    def save_model(self, request: HttpRequest, obj: Run, form: Any, change: bool) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        update_run(obj, **changes, is_alive=False)

    @admin.action(permissions=["change"], description="Mark as completed")
    def mark_as_completed(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        self._close(request, runs, RunStatus.COMPLETED)

    @admin.action(permissions=["change"], description="Mark as failed")
    def mark_as_failed(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        self._close(request, runs, RunStatus.FAILED)

    @admin.action(permissions=["change"], description="Mark as cancelled")
    def mark_as_cancelled(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        self._close(request, runs, RunStatus.CANCELLED)

    @admin.action(permissions=["change"], description="Archive: lists leave them out")
    def archive(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        self._archive(request, runs, archived=True)

    @admin.action(permissions=["change"], description="Bring back from the archive")
    def restore(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        self._archive(request, runs, archived=False)

    @transaction.atomic
    def _archive(self, request: HttpRequest, runs: QuerySet[Run], *, archived: bool) -> None:
        word = "archived" if archived else "restored"
        for run in runs.filter(archived_at__isnull=archived):
            self.log_change(request, run, f"{word.capitalize()}.")
        self.message_user(request, f"{archive_runs(runs, archived=archived)} {word}.")

    @transaction.atomic
    def _close(self, request: HttpRequest, runs: QuerySet[Run], status: RunStatus) -> None:
        changed = list(runs.exclude(status=status))
        for run in changed:
            close_run(run, status=status, username=request.user.get_username())
            self.log_change(request, run, f"Marked as {status}.")
        self.message_user(request, f"{len(changed)} marked as {status}.")

    def weigh(self, queryset: QuerySet[Run]) -> dict[str, str]:
        return cells.weight_items(weigh_runs(queryset), is_freed=self.frees(queryset))

    def discard(self, queryset: QuerySet[Run]) -> Discarded:
        return discard_runs(queryset)

    def delete_for_good(self, queryset: QuerySet[Run]) -> Weight:
        return delete_runs(queryset)

    def bring_back(self, queryset: QuerySet[Run]) -> list[str]:
        return [run.key for run in restore_runs(queryset)]
