"""What is done to many runs at once: which runs are meant, what is asked first, what is said after."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from dashboard.folders import folder_param
from dashboard.selection import MAX_COUNT
from dashboard.trash import discarded_text, undo_url
from tracking.domain.folders import in_folder
from tracking.domain.origins import read_from_files
from tracking.domain.query import filter_runs
from tracking.domain.runs import archive_runs, tag_runs
from tracking.domain.trash import discard_runs
from tracking.domain.weights import weigh_runs
from tracking.enums import RunStatus
from tracking.errors import InvalidInput, LimitExceeded
from tracking.models import Project, Run

SHOWN_NAMES = 20
SHOWING = {"compare": "dashboard:compare", "charts": "dashboard:project-detail"}


@dataclass(frozen=True, slots=True)
class Question:
    """What the reader has to say or to confirm before something is done."""

    template: str
    context: dict[str, Any]


def choose_runs(project: Project, data: QueryDict) -> QuerySet[Run]:
    """The runs of the given keys, or with `matching=1` all that the filter `q` shows of
    the `folder`.

    Keys of runs that have gone meanwhile are ignored, as long as one is left. Raises: InvalidInput.
    """
    limit = settings.MAX_RUNS_PER_REQUEST
    if data.get("matching") == "1":
        found = filter_runs(project.runs.all(), data.get("q", ""))
        runs = in_folder(found, folder_param(data))
    else:
        keys = {key for key in data.getlist("run") if key and "\0" not in key}
        _check_count(len(keys), limit)
        runs = project.runs.filter(key__in=keys)
    # By their ids: what is asked about is what is done, whatever joins the filter meanwhile.
    run_ids = list(runs.order_by().values_list("pk", flat=True)[: limit + 1])
    _check_count(len(run_ids), limit)
    if not run_ids:
        raise InvalidInput("None of the chosen runs is there. Choose at least one.", field="run")
    return project.runs.filter(pk__in=run_ids)


def _check_count(count: int, limit: int) -> None:
    if count > limit:
        raise LimitExceeded(
            f"At most {limit:,} runs can be changed at once. Choose fewer, or narrow the filter.",
            field="run",
        )


def showing_url(action: str, project: Project, runs: QuerySet[Run]) -> str:
    """The page that shows these runs; it changes nothing. Raises: LimitExceeded."""
    keys = runs.values_list("key", flat=True)
    if len(keys) > MAX_COUNT:
        raise LimitExceeded(f"At most {MAX_COUNT} runs can be shown at once.", field="run")
    address = reverse(SHOWING[action], args=[project.key])
    return f"{address}?{urlencode({'run': list(keys)}, doseq=True)}"


def open_question(action: str, runs: QuerySet[Run], data: QueryDict) -> Question | None:
    """What is to be asked before the action; None where all has been said."""
    if action == "delete" and data.get("confirmed") != "1":
        running_count = runs.filter(status=RunStatus.RUNNING).count()
        context = {
            "weight": weigh_runs(runs),
            "running_count": running_count,
            "from_files_count": read_from_files(runs).count(),
        }
        return Question("dashboard/_runs_deletion.html", context)
    if action in {"tag", "untag"} and not tags_in(data):
        known = {tag for tags in runs.values_list("tags", flat=True) for tag in tags}
        return Question("dashboard/_runs_tags.html", {"tags": sorted(known)})
    return None


def question_context(project: Project, runs: QuerySet[Run], question: Question) -> dict[str, Any]:
    keys_and_names = list(runs.values_list("key", "name"))
    return {
        "project": project,
        "question": question.template,
        "keys": [key for key, _ in keys_and_names],
        "names": [name for _, name in keys_and_names[:SHOWN_NAMES]],
        "unnamed_count": max(0, len(keys_and_names) - SHOWN_NAMES),
        **question.context,
    }


def tags_in(data: QueryDict) -> list[str]:
    """Each `tag` as it is, and those in `tags`, where a comma separates them."""
    texts = [*data.getlist("tag"), *data.get("tags", "").split(",")]
    return [text.strip() for text in texts if text.strip()]


@dataclass(frozen=True, slots=True)
class Done:
    """What to say, and the address that takes it back, where one does."""

    text: str
    undo: str = ""


def carry_out(action: str, runs: QuerySet[Run], data: QueryDict) -> Done:
    """Do it; tells what was done. Raises: InvalidInput."""
    if action not in ACTIONS:
        raise InvalidInput(f"There is no action {action[:40]!r} on runs.", field="action")
    return ACTIONS[action](runs, data)


def _archive(runs: QuerySet[Run], _: QueryDict) -> Done:
    return Done(f"{_count(archive_runs(runs))} archived. The filter “archived = true” shows them.")


def _restore(runs: QuerySet[Run], _: QueryDict) -> Done:
    return Done(f"{_count(archive_runs(runs, archived=False))} restored.")


def _tag(runs: QuerySet[Run], data: QueryDict) -> Done:
    tags = tags_in(data)
    return Done(f"{_count(tag_runs(runs, add=tags))} tagged {_listed(tags)}.")


def _untag(runs: QuerySet[Run], data: QueryDict) -> Done:
    tags = tags_in(data)
    return Done(f"{_listed(tags)} taken from {_count(tag_runs(runs, remove=tags))}.")


def _delete(runs: QuerySet[Run], _: QueryDict) -> Done:
    project, what = runs[0].project, _count(runs.count())
    gone = discard_runs(runs)
    return Done(discarded_text(what, gone), undo_url(project, gone))


ACTIONS: dict[str, Callable[[QuerySet[Run], QueryDict], Done]] = {
    "archive": _archive,
    "restore": _restore,
    "tag": _tag,
    "untag": _untag,
    "delete": _delete,
}


def _count(count: int) -> str:
    return f"{count:,} run{'' if count == 1 else 's'}"


def _listed(tags: list[str]) -> str:
    return ", ".join(f"“{tag}”" for tag in tags)


def way_back(request: HttpRequest, project: Project) -> str:
    """Where the form says it came from, as long as that is a page of this host."""
    address = request.POST.get("next", "")
    is_ours = address.startswith("/") and url_has_allowed_host_and_scheme(
        address, allowed_hosts=None, require_https=request.is_secure()
    )
    return address if is_ours else reverse("dashboard:run-list", args=[project.key])
