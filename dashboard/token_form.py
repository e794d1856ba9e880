"""The form for a new API token."""

from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone

from dashboard.forms import VerbForm
from tracking.domain.access import visible_projects
from tracking.models import NAME_LENGTH, Project, User

SUGGESTED = 100  # projects; any other one's key may be typed in
DAYS = [(30, "30 days"), (90, "90 days"), (365, "a year"), (0, "never")]


class TokenForm(VerbForm):
    name = forms.CharField(
        max_length=NAME_LENGTH,
        widget=forms.TextInput({"placeholder": "Training on the cluster", "autocomplete": "off"}),
    )
    scope = forms.ChoiceField(
        label="It may",
        choices=[("write", "read and write"), ("read", "only read")],
    )
    project = forms.CharField(
        label="Only in the project",
        required=False,
        max_length=2 * NAME_LENGTH + 3,  # namespace / name
        widget=forms.TextInput(
            {"placeholder": "All that you may see", "list": "token-projects", "autocomplete": "off"}
        ),
    )
    days = forms.TypedChoiceField(label="It expires in", choices=DAYS, coerce=int, initial=90)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.projects = visible_projects(user)

    def suggestions(self) -> list[str]:
        return list(self.projects.order_by("key").values_list("key", flat=True)[:SUGGESTED])

    def clean_project(self) -> Project | None:
        """By its key, or as ML-Dash calls it."""
        text = self.cleaned_data["project"]
        if not text:
            return None
        namespace, _, name = text.partition("/")
        called = Q(namespace=namespace.strip(), name=name.strip()) if name else Q(pk=None)
        project = self.projects.filter(key=text).first() or self.projects.filter(called).first()
        if project is None:
            raise forms.ValidationError(
                "There is no such project, or you may not see it. Give its key, as in the address of"
                " its page, or namespace/name."
            )
        return project

    def values(self) -> dict[str, Any]:
        """What `create_token` takes."""
        days = self.cleaned_data["days"]
        return {
            "name": self.cleaned_data["name"],
            "can_write": self.cleaned_data["scope"] == "write",
            "project": self.cleaned_data["project"],
            "expires_at": timezone.now() + timedelta(days=days) if days else None,
        }
