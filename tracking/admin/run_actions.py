"""What a curator does to many runs at once: move them, tag them, take them along as a table."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.http import content_disposition_header

from tracking.admin.fields import TagsField
from tracking.domain.moving import move_runs
from tracking.domain.runs import tag_runs
from tracking.domain.tables import csv_text, export_runs
from tracking.models import Project, Run

NAMED = 50  # runs on the page that asks
SUGGESTED = 200  # projects; any other one's key may be typed in


class MoveForm(forms.Form):
    project = forms.CharField(
        help_text="The key of the project.",
        widget=forms.TextInput({"list": "projects", "autocomplete": "off", "class": "vTextField"}),
    )

    def clean_project(self) -> Project:
        project = Project.objects.filter(key=self.cleaned_data["project"]).first()
        if project is None:
            raise forms.ValidationError("There is no such project.")
        return project


class RetagForm(forms.Form):
    add = TagsField(label="Add these tags")
    remove = TagsField(label="Take these away")


class RunActions(admin.ModelAdmin):
    @admin.action(permissions=["change"], description="Move to another project…")
    def move(self, request: HttpRequest, runs: QuerySet[Run]) -> HttpResponse | None:
        form = MoveForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self._ask(request, runs, form, title="Move runs to another project", verb="Move")
        project = form.cleaned_data["project"]
        with transaction.atomic():
            self._note(request, runs.exclude(project=project), f"Moved to {project.key}.")
            count = move_runs(runs, project, user=request.user)
        self.message_user(request, f"{count} moved to {project.key}.")
        return None

    @admin.action(permissions=["change"], description="Add or remove tags…")
    def retag(self, request: HttpRequest, runs: QuerySet[Run]) -> HttpResponse | None:
        form = RetagForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self._ask(
                request, runs, form, title="Add or remove tags", verb="Change the tags"
            )
        with transaction.atomic():
            self._note(request, runs, "Tags changed.")
            count = tag_runs(runs, **form.cleaned_data)
        self.message_user(request, f"The tags of {count} changed.")
        return None

    @admin.action(permissions=["view"], description="Export as CSV")
    def export(self, request: HttpRequest, runs: QuerySet[Run]) -> HttpResponse:
        disposition = content_disposition_header(as_attachment=True, filename="runs.csv")
        return HttpResponse(
            csv_text(export_runs(runs)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": str(disposition)},
        )

    def _ask(
        self, request: HttpRequest, runs: QuerySet[Run], form: forms.Form, **words: Any
    ) -> HttpResponse:
        """The page between choosing an action and doing it."""
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "form": form,
            "action": request.POST["action"],
            "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "count": runs.count(),
            "runs": runs[:NAMED],
            "projects": Project.objects.order_by("key").values_list("key", flat=True)[:SUGGESTED],
            **words,
        }
        return TemplateResponse(request, "admin/tracking/run_question.html", context)

    def _note(self, request: HttpRequest, runs: QuerySet[Run], text: str) -> None:
        for run in runs:
            self.log_change(request, run, text)
