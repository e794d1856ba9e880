"""API tokens of everybody: administrators make them for service accounts, and revoke any."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from tracking.admin import cells
from tracking.admin.fields import by_rule
from tracking.admin.lists import LONG_PROJECT_FIELDS, ProjectFilter, SlimAdmin
from tracking.domain.tokens import check_token_name, create_token, revoke_token
from tracking.models import ApiToken, Project, User

DAYS = [(30, "30 days"), (90, "90 days"), (365, "a year"), (0, "never")]


class NewTokenForm(forms.ModelForm):
    """Whoever it is for is named, not chosen from a list of everybody."""

    user = forms.CharField(
        label="User name",
        help_text="Jobs are best given accounts of their own: service accounts.",
        widget=forms.TextInput({"class": "vTextField", "autocomplete": "off"}),
    )
    project = forms.CharField(
        required=False,
        help_text="The key of the only project that it opens. Empty: all that the user may see.",
        widget=forms.TextInput({"class": "vTextField", "autocomplete": "off"}),
    )
    can_write = forms.BooleanField(
        required=False, initial=True, help_text="To log runs. Else it only reads."
    )
    days = forms.TypedChoiceField(label="Expires in", choices=DAYS, coerce=int, initial=365)

    class Meta:
        model = ApiToken
        fields = ["name"]

    def clean_name(self) -> str:
        return str(by_rule(check_token_name, self.cleaned_data["name"]))

    def clean_user(self) -> User:
        user = User.objects.filter(username=self.cleaned_data["user"], is_active=True).first()
        if user is None:
            raise forms.ValidationError("There is no active user of that name.")
        return user

    def clean_project(self) -> Project | None:
        key = self.cleaned_data["project"]
        project = Project.objects.filter(key=key).first() if key else None
        if key and project is None:
            raise forms.ValidationError("There is no such project.")
        return project


class StateFilter(admin.SimpleListFilter):
    title = parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, word) for word in ("usable", "expired", "revoked", "never used")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        now = timezone.now()
        match self.value():
            case "usable":
                return queryset.filter(revoked_at=None).exclude(expiry__lte=now)
            case "expired":
                return queryset.filter(expiry__lte=now)
            case "revoked":
                return queryset.exclude(revoked_at=None)
            case "never used":
                return queryset.filter(last_used_at=None)
        return queryset


@admin.register(ApiToken)
class ApiTokenAdmin(SlimAdmin):
    form = NewTokenForm
    list_display = [
        *("name", "user", "beginning", "scope", "project", "state", "made", "used", "expires"),
    ]
    list_select_related = ["user", "project"]
    list_defer = ["digest", *(f"project__{name}" for name in LONG_PROJECT_FIELDS)]
    list_filter = [StateFilter, "can_write", "user__is_service", ProjectFilter]
    search_fields = ["name", "^token_key", "user__username", "project__key"]
    search_help_text = "Name, beginning, user or project"
    actions = ["revoke"]
    fields = ["user", "name", "can_write", "project", "days"]
    shown_fields = [
        *("user", "name", "beginning", "scope", "project", "state"),
        *("made", "used", "expires", "revoked"),
    ]

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        return self.shown_fields if obj else self.fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A token acts as its user: who makes them for anybody might as well be anybody."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A token stays what it was made as, until it is revoked."""
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One button: whichever it is, the secret comes next."""
        hidden = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, (extra_context or {}) | hidden)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("user", "project")

    def view_on_site(self, token: ApiToken) -> str | None:
        return cells.project_page(token.project) if token.project else None

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        days = form.cleaned_data["days"]
        token, secret = create_token(
            form.cleaned_data["user"],
            name=form.cleaned_data["name"],
            can_write=form.cleaned_data["can_write"],
            project=form.cleaned_data["project"],
            expires_at=timezone.now() + timedelta(days=days) if days else None,
            creator=request.user if isinstance(request.user, User) else None,
        )
        obj.__dict__.update(token.__dict__)
        request.new_secret = secret  # type: ignore[attr-defined]  # for `response_add`, and no further

    def response_add(
        self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The one page that shows the secret: no cache, no message and no address has it."""
        context = self.admin_site.each_context(request) | {
            "title": "The new token",
            "opts": self.opts,
            "token": obj,
            "secret": request.new_secret,  # type: ignore[attr-defined]
            "server_url": request.build_absolute_uri("/").rstrip("/"),
        }
        response = TemplateResponse(request, "admin/tracking/token_secret.html", context)
        add_never_cache_headers(response)
        return response

    @admin.action(permissions=["revoke"], description="Revoke: whatever uses them is refused")
    @transaction.atomic
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        usable = list(tokens.filter(revoked_at=None))
        for token in usable:
            revoke_token(token)
            self.log_change(request, token, "Revoked.")
        self.message_user(request, f"{len(usable)} revoked.")

    @admin.display(description="begins with", ordering="token_key")
    def beginning(self, token: ApiToken) -> str:
        return f"{token.token_key}…"

    @admin.display(description="may", ordering="can_write")
    def scope(self, token: ApiToken) -> str:
        return "read and write" if token.can_write else "read"

    @admin.display
    def state(self, token: ApiToken) -> str:
        if token.revoked_at:
            return "revoked"
        return "expired" if token.is_expired else "usable"

    @admin.display(ordering="created")
    def made(self, token: ApiToken) -> str:
        return cells.age(token.created)

    @admin.display(description="last used", ordering="last_used_at")
    def used(self, token: ApiToken) -> str:
        return cells.age(token.last_used_at)

    @admin.display(ordering="expiry")
    def expires(self, token: ApiToken) -> str:
        return cells.minute(token.expiry) if token.expiry else "never"

    @admin.display
    def revoked(self, token: ApiToken) -> str:
        return cells.exact_time(token.revoked_at)
