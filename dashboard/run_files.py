"""The files of a run, a page at a time, and what can be shown of each."""

from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Q, Value
from django.db.models.functions import Concat

from dashboard.previews import can_preview
from tracking.domain.json_values import TagContains
from tracking.models import Artifact, Run

FILES = 25


@dataclass(frozen=True, slots=True)
class FileRow:
    artifact: Artifact
    has_preview: bool


def cut_files(run: Run, *, query: str, number: str | None) -> Page[FileRow]:
    """The files with the query in their whole path, their description, category or tags."""
    files = run.artifacts.filter(deleted_at=None)
    if query:
        files = files.alias(whole_path=Concat("path", Value("/"), "name"))
        said = Q(description__icontains=query) | Q(category__icontains=query)
        files = files.filter(Q(whole_path__icontains=query) | said | Q(TagContains(query)))
    page = Paginator(files.defer("metadata", "bindrs"), FILES).get_page(number)
    rows = [FileRow(file, can_preview(file.name)) for file in page]
    return Page(rows, page.number, page.paginator)  # type: ignore[arg-type]  # it counts files
