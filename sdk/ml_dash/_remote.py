"""On a server: what is written goes through the spool, what is read is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from time import time_ns
from typing import Any
from urllib.parse import quote

from runyard.artifacts import Artifact
from runyard.dash.files import describe_file
from runyard.dash.names import UNNAMED
from runyard.dash.pages import describe_page
from runyard.errors import AccessRefused, RunFinished, StartRefused, TransportError
from runyard.files.documents import utc_now
from runyard.lifecycle import EXIT_CODES, Status
from runyard.names import local_key
from runyard.notices import say
from runyard.remote import MSGPACK, Remote
from runyard.run import Run, open_run
from runyard.values import MAX_TEXT_LENGTH

from ml_dash._changes import Changes
from ml_dash._store import About, FileEntry
from ml_dash.exceptions import (
    AuthenticationError,
    ConfigurationError,
    ExperimentError,
    NetworkError,
)

READ_PATIENCE_S = 10.0  # for what was logged to arrive, before it is read
SHORT_PATIENCE_S = 1.0  # where it is known already that the server does not take it
PAGE = 1_000
MAX_ROWS = 10_000  # that the server gives at once
WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
ENDINGS: dict[str, Status] = {
    "COMPLETED": "completed",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}


class RemoteStore:
    """A run of the core. Reading raises NetworkError or AuthenticationError; writing never does."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._run: Run | None = None
        self._about: About | None = None
        self._described: set[str] = set()  # streams
        self._changes = Changes()

    @property
    def experiment_id(self) -> str | None:
        return self._run.uid if self._run and self._run.page_url else None

    @property
    def spool_path(self) -> Path | None:
        return self._run.spool_path if self._run else None

    # ── Writing ──────────────────────────────────────────────────────────────

    def start(self, about: About) -> None:
        """Raises: ConfigurationError if the server will not have it so."""
        path = f"{about.folder}/{about.name}" if about.folder else about.name
        try:
            self._run = open_run(
                project=local_key(f"{about.owner}-{about.project}", "project"),
                key=local_key(path, "run"),
                start=_describe(about),
                url=self._url,
            )
        except StartRefused as error:
            raise ConfigurationError(f"The server does not take the experiment: {error}") from None
        self._about = about
        self._described.clear()
        self._say()

    def finish(self, status: str, reason: str = "") -> None:
        ending = ENDINGS[status]
        if not self._core.is_finished:
            self._core.finish(ending, exit_code=EXIT_CODES[ending], reason=reason)
            self._changes.end()
            self._say(f" {ending}")

    def flush(self) -> None:
        self._flush(self._core.exit_deadline_s)

    def _flush(self, patience_s: float) -> int:
        """A server that is in trouble is not waited for each time. Returns what has not arrived."""
        return self._core.flush(SHORT_PATIENCE_S if self._core.why_not() else patience_s)

    def set_params(self, flat: Mapping[str, Any]) -> None:
        self._record("config", dict(flat))

    def log(self, message: str, level: str, metadata: Mapping[str, Any], time: datetime) -> None:
        if len(message) > MAX_TEXT_LENGTH:  # the server has room for no more
            message = f"{message[: MAX_TEXT_LENGTH - 1]}…"
        payload = {"message": message, "level": level, "time": round(time.timestamp() * 1e6)}
        self._record("log", {**payload, "metadata": metadata} if metadata else payload)

    def append_row(
        self, stream: str | None, fields: Mapping[str, Any], words: Mapping[str, Any]
    ) -> None:
        name = stream or ""
        if words and name not in self._described:
            self._record("stream", {"stream": name, **words})
            self._described.add(name)
        # The time of logging: `_ts` in the row may be any number.
        self._record("row", {"stream": name, "fields": fields, "time": time_ns() // 1000})

    def save_file(self, source: Path, entry: FileEntry) -> dict[str, Any]:
        """A copy waits with the records. What the disk has no room for is noted as a gap."""
        node = {
            "uid": entry.id,
            "path": entry.path,
            "tags": list(entry.tags),
            "bindrs": list(entry.bindrs),
        }
        words = (entry.filename, entry.description or "", "", entry.metadata or {})
        try:
            saved = self._core.log_artifact(Artifact(source, *words, node)) or {}
        except RunFinished as error:
            raise _closed() from error
        size, checksum = saved.get("size", 0), saved.get("checksum", "")
        return describe_file(entry, self.experiment_id, size, checksum)

    def _record(self, kind: str, payload: dict[str, Any]) -> None:
        try:
            self._core.record(kind, payload)
        except RunFinished as error:
            raise _closed() from error

    # ── Reading ──────────────────────────────────────────────────────────────

    def get_params(self) -> dict[str, Any]:
        data = self._get("/parameters").get("data")
        return from_words(data) if isinstance(data, dict) else {}

    def read_rows(self, stream: str | None, start_index: int, limit: int) -> dict[str, Any]:
        rows: list[dict[str, Any]] = []
        has_more = True
        while has_more and len(rows) < limit:
            place = {
                "startIndex": start_index + len(rows),
                "limit": min(limit - len(rows), MAX_ROWS),
            }
            page = self._get(f"{_metric(stream)}/data", place)
            with _reading():
                rows += [{**row, "index": int(row["index"])} for row in page["data"]]
                has_more = bool(page["hasMore"] and page["data"])
        return describe_page(rows, start_index, has_more=has_more)

    def stats(self, stream: str | None) -> dict[str, Any]:
        """Raises: FileNotFoundError."""
        stats = self._get(f"{_metric(stream)}/stats")
        with _reading():
            return {**_unname(stats), "count": int(stats["totalDataPoints"])}

    def list_metrics(self) -> list[dict[str, Any]]:
        return [_unname(metric) for metric in self._pages("/metrics", "metrics")]

    def list_files(self) -> list[dict[str, Any]]:
        return [self._own(entry) for entry in self._pages("/files", "files")]

    def fetch_file(self, file_id: str, target: Path | None) -> Path:
        """Raises: FileNotFoundError, DamagedFile."""
        with _reading():
            entry = self._get(_file(file_id))
            target = Path.cwd() if target is None else target
            if target.is_dir():
                target /= Path(entry["filename"]).name
            path = self._address(f"{_file(file_id)}/download")
            Remote(self._url).download(path, target, entry["checksum"])
        return target

    def update_file(self, file_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Raises: FileNotFoundError. A server that is silent hears of it later."""
        ask = partial(self._change, file_id, lambda remote, path: remote.patch(path, changes))
        return self._own(self._changes.make(ask, {"id": file_id, **changes}))

    def delete_file(self, file_id: str) -> dict[str, Any]:
        """As `update_file`."""
        ask = partial(self._change, file_id, lambda remote, path: remote.delete(path))
        return self._changes.make(ask, {"id": file_id, "deletedAt": utc_now()})

    def _change(self, file_id: str, ask: Callable[[Remote, str], dict[str, Any]]) -> dict[str, Any]:
        with _reading():
            return ask(Remote(self._url), self._address(_file(file_id)))

    def _own(self, entry: dict[str, Any]) -> dict[str, Any]:
        """With the id that this experiment goes by here."""
        return {**entry, "experimentId": self.experiment_id}

    def _pages(self, path: str, key: str) -> Iterator[dict[str, Any]]:
        offset, has_more = 0, True
        while has_more:
            page = self._get(path, {"limit": PAGE, "offset": offset})
            found = page.get(key)
            if not isinstance(found, list):
                raise NetworkError(f"The server's answer has no {key}.")
            yield from found
            offset += len(found)
            has_more = bool(page.get("hasMore") and found)

    def _get(self, path: str, query: Mapping[str, object] | None = None) -> dict[str, Any]:
        with _reading():
            return Remote(self._url).get(self._address(path), query, accept=MSGPACK)

    def _address(self, path: str) -> str:
        """Where to ask, once what was logged has arrived. Raises: NetworkError, AuthenticationError."""
        run = self._core
        if run.is_silent:
            raise NetworkError("Only rank 0 logs, and reads; RUNYARD_RANKS=all lets all do so.")
        if self._flush(READ_PATIENCE_S) or self.experiment_id is None:
            why = run.why_not() or "the server has not taken in yet what was logged"
            kind = AuthenticationError if run.is_denied else NetworkError
            raise kind(f"Nothing can be read now: {why}.")
        return f"/api/experiments/{self.experiment_id}{path}"

    @property
    def _core(self) -> Run:
        if self._run is None:
            raise ExperimentError("Experiment not started. Call experiment.run.start() first.")
        return self._run

    def _say(self, what: str = "") -> None:
        if self._about and not self._core.is_silent:
            say(f"ml_dash: {self._about.prefix}{what}: {self._core.whereabouts()}")


def _describe(about: About) -> dict[str, Any]:
    """The start of docs/ingest.md; what was not given leaves alone what the server has."""
    said = {
        "source": "ml_dash",
        "namespace": about.owner,
        "project_name": about.project,
        "folder": about.folder,
        "name": about.name,
        "readme": about.readme,
        "tags": list(about.tags),
        "bindrs": list(about.bindrs),
        "metadata": about.metadata,
        "resume": True,
    }
    return {key: value for key, value in said.items() if value}


def from_words(value: Any) -> Any:
    """NaN and infinity as the numbers that they are: the server keeps params as JSON."""
    if isinstance(value, dict):
        return {key: from_words(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_words(item) for item in value]
    return WORDS.get(value, value) if isinstance(value, str) else value


def _unname(metric: dict[str, Any]) -> dict[str, Any]:
    return {**metric, "name": None} if metric.get("name") == UNNAMED else metric


def _metric(stream: str | None) -> str:
    return f"/metrics/{quote(stream or UNNAMED, safe='')}"


def _file(file_id: str) -> str:
    return f"/files/{quote(str(file_id), safe='')}"


def _closed() -> ExperimentError:
    return ExperimentError("The experiment is closed: call experiment.run.start().")


@contextmanager
def _reading() -> Iterator[None]:
    """The core's errors by their published names; an answer that cannot be read is as good as none."""
    try:
        yield
    except TransportError as error:
        raise NetworkError(str(error)) from None
    except AccessRefused as error:
        raise AuthenticationError(str(error)) from None
    except (KeyError, TypeError, AttributeError) as error:
        raise NetworkError(f"The server's answer is not what it should be: {error!r}") from None
