"""The legend of a chart grid that draws groups of runs: their names, in the order of their colours."""

from collections.abc import Sequence
from dataclasses import dataclass

from tracking.domain.groups import MAX_GROUPS, find_group_field, find_members
from tracking.errors import InvalidInput
from tracking.models import SERIES_COLORS, Run


@dataclass(frozen=True, slots=True)
class LegendEntry:
    name: str
    run_ids: list[int]
    place: int

    @property
    def color(self) -> int:
        return self.place % SERIES_COLORS


@dataclass(frozen=True, slots=True)
class Legend:
    label: str
    entries: list[LegendEntry]
    problem: str = ""  # why there are no groups


def find_legend(runs: Sequence[Run], name: str) -> Legend:
    """The groups of these runs by the field of that name. Two queries at most."""
    try:
        field = find_group_field(name)
    except InvalidInput as error:
        return Legend(name, [], str(error))
    members = find_members(runs, field)
    if len(members) > MAX_GROUPS:
        return Legend(
            field.label, [], f"{len(members)} values: at most {MAX_GROUPS} groups can be drawn."
        )
    entries = [LegendEntry(label, sorted(ids), i) for i, (label, ids) in enumerate(members.items())]
    return Legend(field.label, entries)
