"""People and service accounts."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.db.models import Model
from django.http import HttpRequest

from tracking.models import User

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")
SERVICE: Any = {
    "fields": ["is_service"],
    "description": "A service account is for programs: it comes in by API tokens, and no password"
    " opens it. Make its tokens under “API tokens”.",
}


@admin.register(User)
class UserAdmin(StockUserAdmin):
    list_display = ["username", "email", "is_service", "is_staff", "is_active", "last_login"]
    list_filter = ["is_service", *StockUserAdmin.list_filter]
    date_hierarchy = "date_joined"
    fieldsets = [*(StockUserAdmin.fieldsets or ()), ("Training", SERVICE)]
    add_fieldsets = [*StockUserAdmin.add_fieldsets, ("Training", SERVICE)]

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


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))
