"""What the pages say of the trash, and which of its runs are meant."""

from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from tracking.domain.trash import Discarded, discarded_runs
from tracking.errors import InvalidInput, LimitExceeded
from tracking.models import Project, Run


def tell(request: HttpRequest, text: str, undo: str = "") -> None:
    """Say what was done; `undo`: the address that takes it back, for a button beside it."""
    messages.success(request, text, extra_tags=undo)


def discarded_text(what: str, gone: Discarded) -> str:
    size = filesizeformat(gone.weight.total_bytes)
    if gone.moment is None:
        return f"{what} deleted; {size} freed."
    return f"{what} moved to the trash."


def undo_url(project: Project, gone: Discarded) -> str:
    """Of runs: all that went at that moment come back."""
    if gone.moment is None:
        return ""
    address = reverse("dashboard:trash-restoration", args=[project.key])
    return f"{address}?{urlencode({'moment': gone.moment.isoformat()})}"


def ask_to_choose(request: HttpRequest, project: Project) -> HttpResponse:
    """Back to the trash: nothing was ticked there."""
    messages.error(request, "Choose at least one run.")
    return redirect("dashboard:project-trash", project.key)


def choose_discarded(project: Project, request: HttpRequest) -> QuerySet[Run]:
    """The runs of the given numbers, or all that went at one `moment`. Raises: InvalidInput."""
    runs = discarded_runs(project)
    if "moment" in request.GET:
        runs = runs.filter(deleted_at=_moment(request.GET["moment"]))
    else:
        runs = runs.filter(pk__in=_numbers(request.POST))
    if not runs.exists():
        raise InvalidInput("None of these runs is in the trash any more.", field="run")
    return runs


def _moment(text: str) -> datetime:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInput("moment is a time with its zone.", field="moment")
    return moment


def _numbers(data: QueryDict) -> list[int]:
    texts = data.getlist("run")
    if len(texts) > settings.MAX_RUNS_PER_REQUEST:
        raise LimitExceeded(f"At most {settings.MAX_RUNS_PER_REQUEST:,} runs at once.", field="run")
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19]


def restored_text(runs: list[Run], before: dict[int, str]) -> str:
    """Names that were taken meanwhile are told."""
    count = f"{len(runs):,} run{'' if len(runs) == 1 else 's'} restored."
    renamed = [
        f"“{before[run.pk]}” is “{run.key}” now" for run in runs if before[run.pk] != run.key
    ]
    more = f", and {len(renamed) - 5:,} more" if len(renamed) > 5 else ""
    return f"{count} {', '.join(renamed[:5])}{more}.".replace(" .", "") if renamed else count
