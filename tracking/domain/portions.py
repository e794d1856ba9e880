"""Many small things as few large ones."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")


def in_portions(
    items: Iterable[Item], least: int, size_of: Callable[[Any], int] = len
) -> Iterator[list[Item]]:
    """Consecutive items together, each time just so many that their sizes come to `least`."""
    portion: list[Item] = []
    size = 0
    for item in items:
        portion.append(item)
        size += size_of(item)
        if size >= least:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
