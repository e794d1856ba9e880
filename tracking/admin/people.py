"""People and service accounts."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.db.models import Model
from django.http import HttpRequest

from tracking.models import User


@admin.register(User)
class UserAdmin(StockUserAdmin):
    list_display = ["username", "email", "is_service", "is_staff", "is_active", "last_login"]
    list_filter = ["is_service", *StockUserAdmin.list_filter]
    date_hierarchy = "date_joined"
    fieldsets = [
        *(StockUserAdmin.fieldsets or ()),
        ("Training", {"fields": ["is_service"]}),
    ]
    add_fieldsets = [
        *StockUserAdmin.add_fieldsets,
        ("Training", {"fields": ["is_service"]}),
    ]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes the account they act as: in open mode that is everybody's."""
        return obj != request.user and super().has_delete_permission(request, obj)
