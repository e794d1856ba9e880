"""People and service accounts."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest

from tracking.domain.accounts import RESERVED_NAMES
from tracking.models import Invitation, User

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")
SERVICE: Any = {
    "fields": ["is_service"],
    "description": "A service account is for programs: it comes in by API tokens, and no password"
    " opens it. Make its tokens under “API tokens”.",
}
EVERYBODY: Any = {
    "fields": [],
    "description": "This is who everybody is in open mode, where nobody signs in. What was logged"
    " then belongs to it. It has no password: where people sign in, nobody can be it.",
}


class KindFilter(admin.SimpleListFilter):
    title = parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("person", "people"), ("service", "service accounts")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "person":
                return queryset.filter(is_service=False).exclude(username__in=RESERVED_NAMES)
            case "service":
                return queryset.filter(is_service=True)
        return queryset


@admin.register(User)
class UserAdmin(StockUserAdmin):
    list_display = ["username", "kind", "email", "is_staff", "is_active", "last_login"]
    list_filter = [KindFilter, *StockUserAdmin.list_filter]
    date_hierarchy = "date_joined"
    fieldsets = [*(StockUserAdmin.fieldsets or ()), ("Training", SERVICE)]
    add_fieldsets = [*StockUserAdmin.add_fieldsets, ("Training", SERVICE)]

    @admin.display(ordering="is_service")
    def kind(self, user: User) -> str:
        if user.username in RESERVED_NAMES:
            return "everybody, in open mode"
        return "service account" if user.is_service else "person"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        is_everybody = obj is not None and obj.username in RESERVED_NAMES
        return [("Everybody", EVERYBODY)] * is_everybody + [*super().get_fieldsets(request, obj)]

    def formfield_for_dbfield(self, db_field: Field, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "is_service":
            kwargs["label"] = "Service account"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Nobody gives what they do not have."""
        fixed = [*super().get_readonly_fields(request, obj)]
        return fixed if _is_superuser(request) else [*fixed, *RIGHTS]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Who may set the password of a superuser is one."""
        is_above = isinstance(obj, User) and obj.is_superuser and not _is_superuser(request)
        return not is_above and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes the account they act as: in open mode that is everybody's."""
        is_above = isinstance(obj, User) and obj.is_superuser and not _is_superuser(request)
        is_oneself = obj == request.user
        return not is_above and not is_oneself and super().has_delete_permission(request, obj)


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):
    """To look at, and to delete, which ends the link too; they are made on the pages."""

    list_display = ["created_at", "project", "inviter", "email", "role", "withdrawn_at"]
    list_select_related = ["project", "inviter"]
    date_hierarchy = "created_at"
    search_fields = ["email", "inviter__username", "project__key"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Into a project in the trash nobody is let."""
        return super().get_queryset(request).filter(project__deleted_at=None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))
