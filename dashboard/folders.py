"""The folders of a project as a tree. The folder that is looked at lives in the URL: `folder=a/b`.

Of hundreds of folders the tree shows those around the one that is looked at: a page stays small, and
each step further down is a link.
"""

from collections import deque
from dataclasses import dataclass, field
from itertools import takewhile
from operator import eq

from django.http import QueryDict

from dashboard.panels import natural_key
from tracking.domain.folders import count_by_folder
from tracking.models import Project

MAX_LENGTH = 1000  # of a path, as runs have them
SHOWN = 100  # folders in a tree
ALL = 2000  # and where all of them are asked for: `folders=all`
OPEN_BELOW, OPEN_DEPTH = 12, 3  # so few folders in one, and so near, are shown without a click
GROWN = OPEN_DEPTH + 2  # levels that are known of: those that are shown, and whether there are more
DEPTH = 8  # levels above and below the folder that is looked at: paths may have hundreds


@dataclass(slots=True, eq=False)
class Node:
    """`count`: runs in it and below it. `is_open`: what is in it is shown."""

    name: str
    path: str
    count: int = 0
    children: dict[str, "Node"] = field(default_factory=dict)
    shown: list["Node"] = field(default_factory=list)
    is_open: bool = False
    is_current: bool = False

    @property
    def hidden_count(self) -> int:
        return len(self.children) - len(self.shown)


@dataclass(frozen=True, slots=True)
class FolderTree:
    top: Node
    base: Node  # the tree begins with what is in it: the top, unless the path is very long
    path: str  # of the folder that is looked at; "" is the top
    is_whole: bool  # all of them are asked for

    def __bool__(self) -> bool:
        return bool(self.top.children) or bool(self.path)


def folder_param(params: QueryDict) -> str:
    """The folder that the URL names, as runs would have it."""
    text = params.get("folder", "")[:MAX_LENGTH].replace("\0", "")
    return "/".join(part for part in text.split("/") if part)


def folder_tree(project: Project, params: QueryDict) -> FolderTree:
    """One query."""
    path, is_whole = folder_param(params), params.get("folders") == "all"
    top = grow_tree(count_by_folder(project), path)
    base = show_around(top, path, ALL if is_whole else SHOWN)
    return FolderTree(top, base, path, is_whole)


def grow_tree(counts: dict[str, int], path: str = "") -> Node:
    """Only as deep as it may be shown: off the way to the path, a few levels."""
    top, way = Node("", ""), _parts(path)
    for folder, count in counts.items():
        parts, node = _parts(folder), top
        node.count += count
        shared = _shared_count(parts, way)
        for part in parts[: shared + GROWN]:
            node = node.children.get(part) or _add(node, part)
            node.count += count
    return top


def _parts(path: str) -> list[str]:
    return path.split("/") if path else []


def _shared_count(parts: list[str], way: list[str]) -> int:
    """How many parts both begin with."""
    return len(list(takewhile(bool, map(eq, parts, way))))


def _add(node: Node, name: str) -> Node:
    child = Node(name, f"{node.path}/{name}" if node.path else name)
    node.children[name] = child
    return child


def show_around(top: Node, path: str, room: int) -> Node:
    """Open the way to the folder, then, as far as there is room, small folders nearest the top.

    Returns where the tree begins.
    """
    way = _way_to(top, path)
    way[-1].is_current = way[-1].path == path
    near = way[-DEPTH:]
    for place, node in enumerate(near):
        following = near[place + 1] if node is not near[-1] else None
        room -= _open(node, room // (len(near) - place), keep=following)
    base = near[0]
    waiting = deque((child, 1) for child in base.shown)
    while waiting:
        node, depth = waiting.popleft()
        is_small = 0 < len(node.children) <= min(room, OPEN_BELOW) and depth < OPEN_DEPTH
        if is_small and not node.is_open:
            room -= _open(node, room)
        waiting.extend((child, depth + 1) for child in node.shown)
    return base


def _way_to(top: Node, path: str) -> list[Node]:
    """The folders from the top to this one, as far as there are any."""
    way = [top]
    for part in _parts(path):
        if part not in way[-1].children:
            break
        way.append(way[-1].children[part])
    return way


def _open(node: Node, room: int, keep: Node | None = None) -> int:
    """Show what is in it, as much as there is room for, and `keep` in any case. Tells how many."""
    children = sorted(node.children.values(), key=lambda child: natural_key(child.name))
    node.shown = children[: max(room, 1)]
    if keep and not any(child is keep for child in node.shown):
        node.shown[-1] = keep
    node.is_open = bool(children)
    return len(node.shown)
