"""Choosing the columns of the run table: each press of a button is one step from the URL's choice."""

from dataclasses import dataclass, replace

from django.http import QueryDict

from dashboard.columns import MAX_COLUMNS, MAX_PINNED, PASSING, Columns, query_with
from dashboard.params import text_param
from tracking.domain.fields import Field, find_field, suggest_fields
from tracking.models import Project

SUGGESTIONS = 50  # at a time: a project may have 12,000 metrics
STEPS = ("add", "remove", "left", "right", "toggle")


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    columns: Columns
    suggestions: list[Field]
    find: str
    kept: list[tuple[str, str]]  # the other parameters of the view
    query: str  # of the run table with these columns
    default_query: str  # and of the one with those it has unasked

    @property
    def rows(self) -> list[tuple[Field, bool]]:
        """Each column, and whether it is pinned."""
        pinned = self.columns.pinned
        return [(field, place < pinned) for place, field in enumerate(self.columns.fields)]

    @property
    def is_full(self) -> bool:
        return len(self.columns.fields) >= MAX_COLUMNS

    @property
    def pins_left(self) -> int:
        return MAX_PINNED - self.columns.pinned


def choose_columns(project: Project, columns: Columns, params: QueryDict) -> ColumnChoice:
    """The choice after the step that the parameters name. Raises: InvalidInput."""
    for step in STEPS:
        if name := params.get(step):
            columns = take_step(columns, step, find_field(name))
    find = text_param(params, "find")
    if "pick" in params and (match := only_match(project, columns, find)):
        columns, find = take_step(columns, "add", match), ""
    own = {"col", "pin", *PASSING, *STEPS}
    no_steps: dict[str, list[str]] = {step: [] for step in STEPS}
    return ColumnChoice(
        columns=columns,
        suggestions=suggest_others(project, columns, find),
        find=find,
        kept=[(key, v) for key, values in params.lists() if key not in own for v in values],
        query=query_with(params, **no_steps, col=columns.names or [""], pin=columns.pinned),
        default_query=query_with(params, **no_steps, col=[], pin=[]),
    )


def suggest_others(project: Project, columns: Columns, find: str) -> list[Field]:
    """Fields with the text in their name that are no columns yet."""
    known = suggest_fields(project.runs.all(), find, limit=SUGGESTIONS + len(columns.fields))
    return [field for field in known if field not in columns.fields][:SUGGESTIONS]


def only_match(project: Project, columns: Columns, find: str) -> Field | None:
    """The field that the text means: the one of that name, or the only one that has it in its name."""
    found = suggest_others(project, columns, find) if find else []
    named = [field for field in found if field.name == find]
    return next(iter(named or (found if len(found) == 1 else [])), None)


def take_step(columns: Columns, step: str, field: Field) -> Columns:
    """One step further; one that is not possible changes nothing."""
    fields, pinned = list(columns.fields), columns.pinned
    if step == "add":
        if field not in fields and len(fields) < MAX_COLUMNS:
            fields.append(field)
        return Columns(fields, pinned, are_chosen=True)
    if field not in fields:
        return columns
    place = fields.index(field)
    fields.remove(field)
    is_pinned = place < pinned
    if step == "remove":
        pinned -= is_pinned
    elif step == "toggle":
        if not is_pinned and pinned == MAX_PINNED:
            return columns
        # The last pinned one and the first that scrolls stand side by side.
        pinned = pinned - 1 if is_pinned else pinned + 1
        fields.insert(pinned if is_pinned else pinned - 1, field)
    else:
        fields.insert(max(0, place - 1) if step == "left" else place + 1, field)
    return replace(columns, fields=fields, pinned=pinned, are_chosen=True)
