"""Saved views: a page of a project as somebody has set it up, under a name."""

from urllib.parse import parse_qsl, urlencode

from django.db import transaction

from tracking.domain.access import Caller
from tracking.domain.values import clean_name
from tracking.enums import ViewPage
from tracking.errors import AlreadyExists, InvalidInput, LimitExceeded
from tracking.models import Project, SavedView, User

MAX_QUERY_LENGTH = 4_000  # what every proxy and browser takes as part of an address
PASSING = frozenset({"page", "format"})  # a place in a list and a download are no set-up


@transaction.atomic
def save_view(
    project: Project, *, name: str, page: str, query: str, user: Caller, replace: bool = False
) -> SavedView:
    """Keep the query string of a page's URL under a name that is unique in the project.

    Raises: InvalidInput; AlreadyExists when the name is taken and `replace` is not set.
    """
    name, query = clean_name(name), clean_view_query(query)
    if page not in ViewPage.values:
        raise InvalidInput(f"There is no page {page[:40]!r} to keep a view of.", field="page")
    creator = user if isinstance(user, User) else None
    setup = {"page": page, "query": query, "created_by": creator}
    view, created = SavedView.objects.select_for_update().get_or_create(
        project=project, name=name, defaults=setup
    )
    if created:
        return view
    if not replace:
        raise AlreadyExists(f"There is a view “{name}” already.")
    view.page, view.query, view.created_by = page, query, creator
    view.save(update_fields=[*setup])
    return view


def delete_view(view: SavedView) -> None:
    """Forget the view; the runs it shows stay as they are."""
    view.delete()


def clean_view_query(query: str) -> str:
    """The query string, encoded anew: it can be nothing but parameters. Raises: InvalidInput."""
    if len(query) > MAX_QUERY_LENGTH:
        raise LimitExceeded(
            f"This view has an address of {len(query)} characters; at most {MAX_QUERY_LENGTH}"
            " can be kept. Choose fewer runs or columns.",
            field="query",
        )
    pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True)
    return urlencode([(key, value) for key, value in pairs if key not in PASSING])
