"""Which runs of a project are drawn. The choice lives in the URL, as `run=KEY` once for each run."""

from dataclasses import dataclass

from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import QueryDict

from dashboard.listing import cut_page, list_runs
from dashboard.params import text_param
from tracking.models import Project, Run

DEFAULT_COUNT = 10  # a URL without a choice shows the newest runs, never all of them
MAX_COUNT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    page: Page[Run]  # the run list
    elsewhere: list[Run]  # chosen, but not on this page of the list
    chosen: list[Run]
    is_automatic: bool  # nobody chose: new runs join by themselves

    @property
    def chosen_ids(self) -> set[int]:
        return {run.pk for run in self.chosen}


def select_runs(project: Project, params: QueryDict) -> Selection:
    """The page of the run list and the chosen runs. Keys of runs that do not exist are ignored."""
    runs = list_runs(project, query=text_param(params, "q"))
    page = cut_page(runs, params.get("page"))
    keys = params.getlist("run")
    chosen = list(_find_runs(project, keys) if keys else runs[:DEFAULT_COUNT])
    listed = {run.pk for run in page}
    return Selection(
        page=page,
        elsewhere=[run for run in chosen if run.pk not in listed],
        chosen=chosen,
        is_automatic=not keys,
    )


def _find_runs(project: Project, keys: list[str]) -> QuerySet[Run]:
    """A form without a tick sends one empty key, so that nothing is chosen then, not the default."""
    known_to_sql = [key.replace("\0", "") for key in keys[: MAX_COUNT + 1]]
    return list_runs(project, query="").filter(key__in=known_to_sql)[:MAX_COUNT]
