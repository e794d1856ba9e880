"""Tags and notes of projects, between their files and the server."""

import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from runyard.errors import TransportError
from runyard.transport import HttpTransport, Response
from runyard.watching.changes import Tree, Words
from runyard.watching.edits import Edits
from runyard.watching.memory import Memory
from runyard.watching.mirror import Mirror
from runyard.watching.roots import Root

EMPTY = {"tags": [], "notes": ""}


class ProjectWords:
    """The file's word goes to the server when it changes there, people's word into the file."""

    def __init__(self, transport: HttpTransport, edits: Edits, say: Callable[[str], None]) -> None:
        self._transport = transport
        self._edits = edits
        self._say = say
        self._waiting: dict[str, tuple[Tree, Memory, Words]] = {}
        self._files: dict[str, list[tuple[Tree, Memory, Words]]] = {}

    def bring(self, roots: list[Root], mirrors: Iterable[Mirror]) -> None:
        """A project is there when one of its runs is."""
        for root in roots:
            for words in root.tree.projects() if root.tree else ():
                assert root.tree  # noqa: S101 -- it has just been asked
                self._waiting[words.place] = (root.tree, root.memory, words)
        if not self._waiting and not self._edits.has_projects:
            return
        keys = self._find_keys(mirrors)
        for place, (tree, memory, words) in list(self._waiting.items()):
            if key := keys.get(place):
                self._send(key, memory, words)
                known = self._files.setdefault(key, [])
                known[:] = [one for one in known if one[2].place != place]
                known.append((tree, memory, words))
                del self._waiting[place]
        for key, files in self._files.items():
            if values := self._edits.take_project(key):
                for tree, memory, words in files:
                    self._write(tree, memory, words, values)

    def _find_keys(self, mirrors: Iterable[Mirror]) -> dict[str, str]:
        """What the server calls the projects, by their directories."""
        known = (mirror for mirror in mirrors if mirror.project)
        return {mirror.watched.place.rpartition("/")[0]: mirror.project for mirror in known}

    def _send(self, key: str, memory: Memory, words: Words) -> None:
        """At first only what the server has no word of: a start has brought the tags."""
        before = memory.projects.get(words.place)
        changed = {
            name: value
            for name, value in words.values.items()
            if value != (before or EMPTY)[name] and (before or name == "notes")
        }
        path = f"/api/projects/{quote(key)}/metadata"
        if changed and before is None and self._ask("GET", path).json().get("notes"):
            changed = {}
        if changed:
            answer = self._ask("PUT", path, json.dumps(changed).encode())
            if answer.status != 200:
                self._say(f"{words.name}: the server refuses its tags and notes ({answer.status}).")
        memory.projects[words.place] = words.values
        memory.is_changed = True

    def _write(self, tree: Tree, memory: Memory, words: Words, values: dict[str, Any]) -> None:
        news = {name: value for name, value in values.items() if value != words.values.get(name)}
        if not news:
            return
        try:
            tree.write_project(words.place, news)
        except OSError as error:
            self._say(f"{words.name}: the edit cannot be written back ({error}).")
            return
        words.values.update(news)
        memory.projects[words.place] = dict(words.values)
        memory.is_changed = True

    def _ask(self, method: str, path: str, body: bytes = b"") -> Response:
        """An empty answer where there is none."""
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            return self._transport.request(method, path, body, headers)
        except TransportError:
            return Response(0)
