"""People's edits on the server, on their way into files."""

import json
import time
from collections.abc import Mapping
from typing import Any

from runyard.errors import TransportError
from runyard.transport import HttpTransport

POLL_S = 1.0
PAGE = 100
MAX_WAITING = 100_000  # runs whose files are not here


class Edits:
    """For one thread. `cursor`: the last edit that was heard of."""

    def __init__(self, transport: HttpTransport, cursor: int) -> None:
        self.cursor = cursor
        self._transport = transport
        self._runs: dict[str, dict[str, Any]] = {}
        self._projects: dict[str, dict[str, Any]] = {}
        self._next_at = 0.0
        self._limit = PAGE

    def poll(self) -> set[str]:
        """The uids of runs with edits that are new. Nothing while the server is away."""
        if time.monotonic() < self._next_at:
            return set()
        self._next_at = time.monotonic() + POLL_S
        news: set[str] = set()
        while page := self._read_page():
            for edit in page["edits"]:
                news.add(str(edit["run_uid"] or ""))
                self._keep(edit)
            is_last = page["next"] == self.cursor or len(page["edits"]) < self._limit
            self.cursor = page["next"]
            if is_last:
                break
        return news - {""}

    def take(self, uid: str) -> dict[str, Any]:
        """Edited fields of a run as they are now."""
        return self._runs.pop(uid, {})

    def take_project(self, key: str) -> dict[str, Any]:
        return self._projects.pop(key, {})

    @property
    def has_projects(self) -> bool:
        return bool(self._projects)

    def _keep(self, edit: Mapping[str, Any]) -> None:
        kept, key = self._projects, edit["project"]
        if edit["run_uid"]:
            kept, key = self._runs, edit["run_uid"]
        if len(kept) < MAX_WAITING:
            kept.setdefault(key, {}).update(edit["values"])

    def _read_page(self) -> dict[str, Any] | None:
        """None where the server has no answer. A page too large to be read is asked for by halves."""
        while True:
            path = f"/api/edits?since={self.cursor}&limit={self._limit}"
            try:
                answer = self._transport.request("GET", path)
            except TransportError:
                return None
            page = answer.json()
            if answer.status != 200:
                return None
            if "edits" in page:
                return page
            if self._limit == 1:
                return None
            self._limit //= 2


def read_projects(transport: HttpTransport) -> set[str] | None:
    """The keys of all projects there; None where the server has no answer."""
    keys: set[str] = set()
    while True:
        try:
            answer = transport.request("GET", f"/api/projects?limit=1000&offset={len(keys)}")
        except TransportError:
            return None
        if answer.status != 200:
            return None
        found = _list(answer.body)
        keys.update(str(project["name"]) for project in found)
        if 'rel="next"' not in answer.headers.get("link", ""):
            return keys


def _list(body: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(body)
    except ValueError:
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
