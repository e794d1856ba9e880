"""Editing in place: one field of a run or of a project, as its fragment shows it.

`GET …/notes` shows the field, `?edit=1` the form, POST saves it. Where the value has changed since
the form was opened, the form comes back with both texts, and saving again is a decision.
"""

import csv
from dataclasses import dataclass, replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from dashboard.htmx import is_htmx
from dashboard.notes import cut_notes
from tracking.domain.edits import edit_project, edit_run, fingerprint
from tracking.errors import InvalidInput
from tracking.models import Project, Run

SEEN_LENGTH = 64
PROSE = {"notes", "description", "readme"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    owner: Run | Project
    field: str
    typed: str | None = None  # what the form holds, where it is not what is stored
    problem: str = ""
    began: str = ""  # fingerprint of the value that the form was opened with
    is_stale: bool = False  # somebody else saved another value meanwhile
    is_saved: bool = False
    is_preview: bool = False
    is_whole: bool = True

    @property
    def value(self) -> str | list[str]:
        value: str | list[str] = getattr(self.owner, self.field)
        return value

    @property
    def stored(self) -> str:
        """The value as a form shows it."""
        return join_tags(self.value) if isinstance(self.value, list) else self.value

    @property
    def is_prose(self) -> bool:
        """Markdown, which one wants to see before it is saved."""
        return self.field in PROSE

    @property
    def text(self) -> str:
        return self.stored if self.typed is None else self.typed

    @property
    def shown(self) -> str:
        return self.stored if self.is_whole else cut_notes(self.stored)

    @property
    def is_cut(self) -> bool:
        return len(self.shown) < len(self.stored)

    @property
    def seen(self) -> str:
        return self.began or fingerprint(self.value)

    @property
    def url(self) -> str:
        if isinstance(self.owner, Run):
            keys = [self.owner.project.key, self.owner.key]
            return reverse("dashboard:run-field", args=[*keys, self.field])
        return reverse("dashboard:project-field", args=[self.owner.key, self.field])

    @property
    def back_url(self) -> str:
        if isinstance(self.owner, Run):
            return reverse("dashboard:run-detail", args=[self.owner.project.key, self.owner.key])
        return reverse("dashboard:project-about", args=[self.owner.key])


def is_editing(request: HttpRequest) -> bool:
    """Whether the request needs more than permission to read."""
    return request.method == "POST" or "edit" in request.GET


def answer_edit(request: HttpRequest, edit: Edit, *, may_write: bool) -> HttpResponse:
    """The field, its form, or where to go once it is saved."""
    if request.method == "POST":
        edit = submit(edit, request.POST)
    if edit.is_saved and not is_htmx(request):
        messages.success(request, f"Saved the {edit.field} of “{edit.owner.name}”.")
        return redirect(edit.back_url)
    is_form = is_editing(request) and not edit.is_saved
    fragment = "_field_form.html" if is_form else "_field.html"
    template = fragment if is_htmx(request) else "field_detail.html"
    context = {"edit": edit, "may_write": may_write, "fragment": f"dashboard/{fragment}"}
    status = 409 if edit.is_stale else 400 if edit.problem else 200
    response = render(request, f"dashboard/{template}", context, status=status)
    if edit.is_saved and edit.field == "name":
        response["HX-Refresh"] = "true"  # it stands in the title and beside every curve
    patch_vary_headers(response, ["HX-Request"])
    return response


def submit(edit: Edit, form: QueryDict) -> Edit:
    """What became of the form."""
    typed = form.get("text", "").replace("\r\n", "\n")
    seen = form.get("seen", "")[:SEEN_LENGTH]
    if "preview" in form:
        return replace(edit, typed=typed, began=seen, is_preview=True)
    save = edit_run if isinstance(edit.owner, Run) else edit_project
    value = split_tags(typed) if edit.field == "tags" else typed
    try:
        is_saved = save(edit.owner, edit.field, value, seen=seen)  # type: ignore[arg-type]
    except InvalidInput as error:
        return replace(edit, typed=typed, began=seen, problem=str(error))
    if is_saved:
        return replace(edit, is_saved=True)
    return replace(edit, typed=typed, is_stale=True)


def join_tags(tags: list[str]) -> str:
    """Tags as one line; a comma in a tag puts it in quotes."""
    return ", ".join(_quoted(tag) for tag in tags)


def _quoted(tag: str) -> str:
    return '"' + tag.replace('"', '""') + '"' if "," in tag or '"' in tag else tag


def split_tags(line: str) -> list[str]:
    """The twin of `join_tags`, forgiving: empty tags and the blanks around a tag do not count.

    Raises: InvalidInput.
    """
    try:
        rows = list(csv.reader([line.replace("\n", ",")], skipinitialspace=True))
    except csv.Error as error:
        raise InvalidInput("The tags are too long.", field="tags") from error
    return [tag for row in rows for tag in row if tag.strip()]
