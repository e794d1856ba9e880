"""What else a job sends: its producers, rows and log lines."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Left, Length
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tracking.admin import cells
from tracking.admin.lists import (
    UNSHOWN_OF_RUN,
    RecordAdmin,
    RunFilter,
    RunProjectFilter,
    SlimList,
)
from tracking.models import LogLine, Producer, RowBlock, Run

LEVELS = ("debug", "info", "warning", "error", "critical")
MESSAGE_START = 200  # characters of a message in a list


class OfRun(RecordAdmin):
    """Rows whose page in the dashboard is that of their run."""

    @admin.display(description="run")
    def run_link(self, record: Any) -> SafeString | str:
        return cells.run_link(record.run) if record.run else "deleted"

    def view_on_site(self, record: Any) -> str | None:
        return cells.run_page(record.run) if record.run else None


class GapFilter(admin.SimpleListFilter):
    title = "gaps"
    parameter_name = "gaps"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "something was dropped"), ("no", "nothing was dropped")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "yes":
                return queryset.exclude(gaps=[])
            case "no":
                return queryset.filter(gaps=[])
        return queryset


class DeletedRunFilter(admin.SimpleListFilter):
    title = "run"
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "was deleted"), ("no", "is there")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        is_there = Exists(Run.objects.filter(pk=OuterRef("run")))
        match self.value():
            case "yes":
                return queryset.filter(~is_there)
            case "no":
                return queryset.filter(is_there)
        return queryset


@admin.register(Producer)
class ProducerAdmin(OfRun):
    list_display = ["uuid", "run_link", "committed", "gap_count"]
    list_filter = [RunProjectFilter, RunFilter, GapFilter, DeletedRunFilter]
    search_fields = ["^uuid", "run__key", "run__project__key"]
    search_help_text = "UUID, run or project"
    readonly_fields = ["uuid", "run_link", "committed", "shown_gaps"]

    @admin.display(description="last record committed")
    def committed(self, producer: Producer) -> str:
        return f"{producer.last_seq:,}"

    @admin.display(description="gaps")
    def gap_count(self, producer: Producer) -> str:
        return f"{len(producer.gaps):,}"

    @admin.display(description="what the client had to drop")
    def shown_gaps(self, producer: Producer) -> SafeString | str:
        return cells.json_text(producer.gaps)


@admin.register(RowBlock)
class RowBlockAdmin(OfRun):
    list_display = ["stream", "run_link", "rows", "size"]
    list_filter = [RunProjectFilter, RunFilter]
    list_defer = [*UNSHOWN_OF_RUN, "data"]
    search_fields = ["stream", "run__key", "run__project__key"]
    search_help_text = "Stream, run or project"
    readonly_fields = ["stream", "run_link", "rows", "size"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("data").annotate(size_bytes=Length("data"))

    @admin.display(description="rows from – to")
    def rows(self, block: RowBlock) -> str:
        return f"{block.ordinal:,} – {block.ordinal + block.count - 1:,}"

    @admin.display
    def size(self, block: Any) -> str:
        return cells.size(block.size_bytes)


class LevelFilter(admin.SimpleListFilter):
    """The usual levels. Asking the table which there are would read all of it."""

    title = parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(level, level) for level in LEVELS]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(level__iexact=self.value()) if self.value() else queryset


class LogLineList(SlimList):
    def get_filters(self, request: HttpRequest) -> Any:
        """Days are offered within a run; in the whole table they would have to be searched for."""
        if RunFilter.parameter_name not in request.GET:
            self.date_hierarchy = None
        return super().get_filters(request)


@admin.register(LogLine)
class LogLineAdmin(OfRun):
    list_display = ["when", "run_link", "shown_level", "start"]
    list_filter = [LevelFilter, "time", RunProjectFilter, RunFilter]
    list_defer = [*UNSHOWN_OF_RUN, "message", "metadata"]
    date_hierarchy = "time"
    search_fields = ["message", "=run__key"]
    search_help_text = "Message, or exact run key"
    readonly_fields = [
        *("run_link", "seq", "when", "shown_level", "text", "shown_metadata"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(start=Left("message", MESSAGE_START))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SlimList]:
        return LogLineList

    @admin.display
    def when(self, line: LogLine) -> str:
        return cells.exact_time(line.time)

    @admin.display(description="level")
    def shown_level(self, line: LogLine) -> SafeString:
        known = line.level.lower() if line.level.lower() in LEVELS else "info"
        return format_html('<span class="level level-{}">{}</span>', known, line.level)

    @admin.display(description="message")
    def start(self, line: Any) -> str:
        return line.start

    @admin.display(description="message")
    def text(self, line: LogLine) -> SafeString:
        return format_html('<pre class="log">{}</pre>', line.message)

    @admin.display(description="metadata")
    def shown_metadata(self, line: LogLine) -> SafeString | str:
        return cells.json_text(line.metadata)
