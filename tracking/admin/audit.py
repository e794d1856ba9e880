"""The audit log, to be read: what people changed, who and when, from what to what."""

from typing import Any

from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString

from tracking.admin import cells
from tracking.admin.lists import CappedPaginator, SlimAdmin, ViewOnly

WORDS = {
    LogEntry.Action.CREATE: "created",
    LogEntry.Action.UPDATE: "changed",
    LogEntry.Action.DELETE: "deleted",
}
NAMES_SHOWN = 4  # of changed fields, in a row of the list

admin.site.unregister(LogEntry)  # its own page would ask the database for each row


class KindFilter(admin.SimpleListFilter):
    """What can be changed. Asking the log which there are would read all of it."""

    title = "what"
    parameter_name = "what"
    KINDS = (
        "project",
        "run",
        "artifact",
        "membership",
        "user",
        "group",
        "apitoken",
        "savedview",
        "invitation",
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        kinds = ContentType.objects.filter(app_label__in=["tracking", "auth"], model__in=self.KINDS)
        return [(kind.model, kind.name) for kind in kinds.order_by("model")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(content_type__model=self.value()) if self.value() else queryset


class ActionFilter(admin.SimpleListFilter):
    title = parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, word) for word in WORDS.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = [action for action, word in WORDS.items() if word == self.value()]
        return queryset.filter(action__in=chosen) if self.value() else queryset


class ActorFilter(admin.SimpleListFilter):
    title = "whether somebody did it"
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("people", "people"), ("server", "the server itself")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "people":
                return queryset.exclude(actor=None)
            case "server":
                return queryset.filter(actor=None)
        return queryset


@admin.register(LogEntry)
class AuditAdmin(ViewOnly, SlimAdmin):
    list_display = ["when", "who", "did", "what", "shown_object", "fields_changed"]
    list_select_related = ["content_type", "actor"]
    list_filter = [ActionFilter, KindFilter, ActorFilter]
    date_hierarchy = "timestamp"
    ordering = ["-pk"]
    paginator = CappedPaginator
    show_facets = admin.ShowFacets.NEVER
    search_fields = ["object_repr", "actor__username", "actor_email"]
    search_help_text = "Name of what was changed, or user"
    readonly_fields = [
        *("when", "who", "token", "invited_by", "did", "what", "shown_object", "differences")
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("content_type", "actor")

    @admin.display(ordering="timestamp")
    def when(self, entry: LogEntry) -> str:
        return cells.exact_time(entry.timestamp)

    @admin.display
    def who(self, entry: LogEntry) -> SafeString | str:
        if entry.actor:
            return cells.object_link(entry.actor)
        return entry.actor_email or "the server"

    @admin.display(description="with the token")
    def token(self, entry: LogEntry) -> str:
        return (entry.additional_data or {}).get("token", cells.ABSENT)

    @admin.display(description="invited by")
    def invited_by(self, entry: LogEntry) -> str:
        return (entry.additional_data or {}).get("invited by", cells.ABSENT)

    @admin.display(description="action")
    def did(self, entry: LogEntry) -> str:
        return WORDS.get(entry.action, entry.get_action_display())

    @admin.display
    def what(self, entry: LogEntry) -> str:
        return entry.content_type.name

    @admin.display(description="name")
    def shown_object(self, entry: LogEntry) -> SafeString | str:
        """A link where it has a page; the page says so where it is gone."""
        kind = entry.content_type
        try:
            url = reverse(f"admin:{kind.app_label}_{kind.model}_change", args=[entry.object_id])
        except NoReverseMatch:
            return cells.clip(entry.object_repr)
        is_gone = entry.action == LogEntry.Action.DELETE
        return cells.clip(entry.object_repr) if is_gone else cells.link(url, entry.object_repr)

    @admin.display(description="fields")
    def fields_changed(self, entry: LogEntry) -> str:
        if entry.action != LogEntry.Action.UPDATE:
            return cells.ABSENT
        names = list(entry.changes_dict)
        more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
        return ", ".join(names[:NAMES_SHOWN]) + more

    @admin.display(description="before and after")
    def differences(self, entry: LogEntry) -> SafeString | str:
        rows = [_row(name, change) for name, change in entry.changes_dict.items()]
        rows = sorted(row for row in rows if row[1] or row[2])
        if not rows:
            return cells.ABSENT
        return SafeString(render_to_string("admin/tracking/_differences.html", {"rows": rows}))


def _row(name: str, change: Any) -> tuple[str, str, str]:
    """Field, before, after; of groups and permissions, which came and which went."""
    if isinstance(change, dict):
        listed = ", ".join(map(str, change.get("objects", [])))
        return (name, "", f"+ {listed}") if change.get("operation") == "add" else (name, listed, "")
    before, after = change
    return name, "" if before == "None" else before, "" if after == "None" else after
