"""A query text, understood: what the parser makes and the conditions are made of."""

from dataclasses import dataclass

from tracking.domain.fields import Field


@dataclass(frozen=True, slots=True)
class Word:
    """A value as it was typed, quotes taken off, and where it stands."""

    text: str
    start: int
    end: int
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """`sign`: one of = < <= > >= ~, with any of the values; `operator` is how it was typed."""

    field: Field
    sign: str
    operator: Word
    values: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    field: Field


@dataclass(frozen=True, slots=True)
class Mention:
    """A text by itself: in the run's name, its key or one of its tags."""

    text: str


@dataclass(frozen=True, slots=True)
class Not:
    item: "Node"


@dataclass(frozen=True, slots=True)
class All:
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    items: tuple["Node", ...]


Node = Comparison | Missing | Mention | Not | All | AnyOf


@dataclass(frozen=True, slots=True)
class Query:
    root: Node | None
    names_archived: bool
