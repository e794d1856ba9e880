"""The files of a run, a page at a time, and what can be shown of each."""

from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Q

from dashboard.previews import can_preview
from tracking.models import Artifact, Run

FILES = 25


@dataclass(frozen=True, slots=True)
class FileRow:
    artifact: Artifact
    has_preview: bool


def cut_files(run: Run, *, query: str, number: str | None) -> Page[FileRow]:
    """The files with the query in their name, their description or their category."""
    files = run.artifacts.filter(deleted_at=None)
    if query:
        said = Q(description__icontains=query) | Q(category__icontains=query)
        files = files.filter(Q(name__icontains=query) | Q(path__icontains=query) | said)
    page = Paginator(files.defer("metadata", "tags"), FILES).get_page(number)
    rows = [FileRow(file, can_preview(file.name)) for file in page]
    return Page(rows, page.number, page.paginator)  # type: ignore[arg-type]  # it counts files
