"""A run as a process that logs to it sees it. Façades put their own names on this."""

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any, Literal, NamedTuple
from uuid import uuid4

from runyard import config, family, lifecycle, memory, orphans
from runyard.artifacts import Artifact
from runyard.background import BackgroundSender, Keeper
from runyard.credentials import Credentials
from runyard.errors import RunFinished
from runyard.lifecycle import Status
from runyard.names import generate_name
from runyard.notices import warn
from runyard.records import encode_event, encode_points
from runyard.sender import RunInfo, Sender
from runyard.spool import Meta, Spool
from runyard.transport import Address, HttpTransport, parse_address
from runyard.values import as_float, as_step

# What a forked worker says of a run that it joins, perhaps before its parent's start has arrived.
NAMES = ("source", "namespace", "project_name", "folder", "name")


class Place(NamedTuple):
    """Where a run's records wait, where they go, and in whose name."""

    root: Path
    address: Address
    credentials: Credentials


def open_run(
    *,
    project: str,
    key: str | None,
    start: Mapping[str, Any],
    url: str | None = None,
    directory: str | os.PathLike[str] | None = None,
    credentials: Credentials | None = None,
) -> "Run":
    """Start a run, or resume it where `start` says so, and wait a moment for the server's word.

    `start`: the payload of docs/ingest.md, without the time. With a `project_name` in it the
    run is always a new one, and `project` and `key` are only what it is called here. A server that does not answer is
    warned about and nothing else. Raises: RunExists, StartRefused, NoServer, ValueError.
    """
    address = parse_address(config.server_url(url))
    place = Place(config.data_dir(directory), address, credentials or Credentials())
    inherited = family.inherited_run(project, key)
    key = key or (inherited and inherited.key) or generate_name()
    if "project_name" in start:
        start = {"name": key, **start}
    run = Run(project, key, place, start, uid=inherited.uid if inherited else None)
    run.may_own = inherited is not None and inherited.key is None
    if config.logs_here():
        run.open()
    return run


class Run:
    """`next_step` is the step of the next row that names none.

    A process that was handed the run down (a spawned or forked one) logs to it but does not end it.
    """

    def __init__(
        self, project: str, key: str, place: Place, start: Mapping[str, Any], *, uid: str | None
    ) -> None:
        self.project = project
        self.key = key
        self.uid = uid or str(uuid4())
        self.next_step = 0
        self.page_url = ""  # known once the server has answered, like the next
        self.server_id: int | None = None
        self.is_finished = False
        self.status: Status | None = None  # how it ended
        self.left = 0  # how many records had not arrived when it ended
        self.exit_deadline_s = config.exit_deadline_s()
        self._place = place
        self._start = dict(start)
        self.is_owner = uid is None
        self.may_own = False  # if it is this process that makes it: people had only chosen its id
        self.is_silent = not config.logs_here()
        self._beyond = 0  # the step after the greatest one logged
        self._lock = threading.RLock()  # a signal handler may interrupt its holder
        self._spool: Spool | None = None
        self._background: BackgroundSender | None = None

    # ── Logging ──────────────────────────────────────────────────────────────

    def log(
        self,
        values: Mapping[str, object],
        *,
        step: object = None,
        commit: bool = True,
        time_us: int | None = None,
    ) -> None:
        """Add one row: a point for each metric. When this returns, it survives the process.

        Without a `step` it is `next_step`; `commit` makes the one after it the next. Nothing is
        kept of a row with an error in it. Raises: ValueError, TypeError, RunFinished.
        """
        names = tuple(values)
        numbers = [
            value if type(value) is float else as_float(name, value)
            for name, value in values.items()
        ]
        time_us = time.time_ns() // 1000 if time_us is None else time_us
        given_step = None if step is None else as_step(step)
        with self._lock:
            at = self.next_step if given_step is None else given_step
            if numbers:
                self._append(encode_points(names, numbers, at, time_us))
                if at >= self._beyond:
                    self._beyond = at + 1
            self.next_step = at + 1 if commit else at

    def record(self, kind: str, payload: dict[str, Any]) -> None:
        """Add an event of docs/ingest.md. Raises: RunFinished, ValueError if it is too large."""
        frame = encode_event(kind, payload)
        with self._lock:
            self._append(frame)

    def log_artifact(self, artifact: Artifact) -> dict[str, Any] | None:
        """Copy a file and upload it when its turn comes; returns its record. A full disk is noted as a gap.

        Raises: RunFinished.
        """
        with self._lock:
            self._check_open()
            if self.is_silent:
                return None
            folder = (self._spool or self._begin()).path / "files"
        try:
            payload = artifact.copy_to(folder)
            self.record("artifact", payload)
        except OSError as error:
            reason = f"no copy of artifact '{artifact.name}': {error}"
            warn(f"{self.project}/{self.key}: {reason}")
            self.record("gap", {"count": 1, "reason": reason})
            return None
        return payload

    def _append(self, frame: bytes) -> None:
        self._check_open()
        if not self.is_silent:
            (self._spool or self._begin()).append(frame)

    def _check_open(self) -> None:
        if self.is_finished:
            raise RunFinished("Cannot log to a finished run. Start another one.")

    # ── The beginning ────────────────────────────────────────────────────────

    def open(self) -> None:
        """Become a producer and hear what the server says. Raises: RunExists, StartRefused."""
        if config.describes_environment():
            from runyard import environment  # noqa: PLC0415 -- slow import

            self._start["environment"] = environment.describe()
        timeout_s = config.init_timeout_s()
        is_resumed, asked_key = bool(self._start.get("resume")), self.key
        is_joined = is_resumed or not self.is_owner or "project_name" in self._start
        self._begin(if_taken="rename" if is_joined else "refuse")
        try:
            info = self._background.wait_for_start(timeout_s) if self._background else None
        except BaseException:
            self._abandon()
            raise
        if is_resumed and "project_name" not in self._start:  # rows of streams number themselves
            self.next_step = self._find_next_step(info)
        lifecycle.track(self)
        family.hand_down(self.uid, self.project, asked_key)
        place = self._place
        orphans.adopt_in_background(place.root, place.address.url, place.credentials)

    def _begin(self, if_taken: Literal["rename", "refuse"] = "rename") -> Spool:
        """Become a producer: its first record is a `start`."""
        start = {**self._start, "started_at": time.time_ns() // 1000}
        frame = encode_event("start", start)  # first: it may be too large
        url = self._place.address.url
        meta = Meta(self.project, self.key, self.uid, str(uuid4()), url, start)
        spool = self._create_spool(meta._replace(user=self._place.credentials.user))
        spool.append(frame)
        transport = HttpTransport(self._place.address, self._place.credentials)
        self._background = BackgroundSender(
            Sender(spool, transport, if_taken=if_taken, on_start=self._note_start)
        )
        Keeper(spool)
        lifecycle.end_with_worker()
        self._spool = spool
        return spool

    def _create_spool(self, meta: Meta) -> Spool:
        try:
            return Spool.create(self._place.root / "spool", meta)
        except OSError as error:
            import tempfile  # noqa: PLC0415 -- slow import

            root = Path(tempfile.mkdtemp(prefix="runyard-"))
            warn(f"cannot write to {self._place.root} ({error}); records wait in {root}.")
            self._place = self._place._replace(root=root)
            return Spool.create(root / "spool", meta)

    def _note_start(self, info: RunInfo) -> None:
        """Called by the sender, perhaps long after `init`."""
        self.is_owner = self.is_owner or (self.may_own and info.created)
        if info.key != self.key and "project_name" not in self._start:
            warn(f"the name '{self.key}' was taken: the run is called '{info.key}'.")
        self.uid, self.key, self.server_id = info.uid, info.key, info.id
        self.page_url = self._place.address.url + info.path

    def _find_next_step(self, info: RunInfo | None) -> int:
        root, project, key = self._place.root, self.project, self.key
        if info:
            return max(info.next_step, memory.spooled_next_step(root, project, key))
        step = memory.known_next_step(root, project, key)
        warn(f"resuming '{key}' without the server: steps go on from {step}, the last known here.")
        return step

    def _abandon(self) -> None:
        """As if it had never begun."""
        spool, background = self._spool, self._background
        if spool and background:
            background.stop("the run was not started")
            spool.remove()

    # ── The end ──────────────────────────────────────────────────────────────

    def finish(
        self,
        status: Status,
        *,
        exit_code: int | None = None,
        reason: str = "",
        timeout_s: float | None = None,
    ) -> int:
        """End the run and wait for its records to arrive. Returns the number of those that have not.

        They are kept, and how to send them is said on stderr. A second call does nothing.
        """
        if self.is_finished:
            return 0
        self.end(status, exit_code=exit_code, reason=reason)
        return self.drain(self.exit_deadline_s if timeout_s is None else timeout_s)

    def end(self, status: Status, *, exit_code: int | None = None, reason: str = "") -> None:
        """Write the last record; a process that was handed the run down leaves that to its owner."""
        finish = {"status": status, "exit_code": exit_code, "reason": reason}
        with self._lock:
            if self.is_finished:
                return
            if self._spool and self.is_owner:
                finish["time"] = time.time_ns() // 1000
                self._spool.append(encode_event("finish", finish), is_vital=True)
            self.status = status
            self.is_finished = True  # not before: SIGTERM may come at any time and end it, too
            if self._spool:
                self._spool.close()
        family.hand_down_no_more(self.uid)
        if self._spool and self._beyond:
            memory.note_next_step(self._place.root, self.project, self.key, self._beyond)

    def flush(self, timeout_s: float) -> int:
        """Wait until what was logged so far has arrived. Returns the number of records that have not."""
        return self._background.flush(timeout_s) if self._background else 0

    def drain(self, timeout_s: float) -> int:
        """Wait until all has arrived, of forked workers too. Returns the number of records left."""
        lifecycle.untrack(self)
        if self._background is None:
            return 0
        end = time.monotonic() + timeout_s
        left = self.left = self._background.drain(timeout_s)
        if left and not self._background.sender.stopped and not family.is_multiprocessing_child():
            self._tell_what_is_left(left)
        if not left:
            limit_s, place = end - time.monotonic(), self._place
            orphans.adopt_of_run(place.root, self.uid, place.credentials, limit_s=limit_s)
        return left

    def whereabouts(self) -> str:
        """The page of the run, for a line to people; or why there is none, or not all is on it.

        Why nobody is let in is not said again of what is left: stderr has told it.
        """
        why = self.why_not()
        if self.left:
            said = "" if self.is_denied else why
            if self._background and self._background.sender.is_gone:
                return f"{why}; {_records(self.left)} not arrived"
            return f"{_records(self.left)} not arrived{said and f': {said}'}"
        return self.page_url or why or "the server has not answered yet"

    @property
    def spool_path(self) -> Path | None:
        """Where records wait; gone once all have arrived and the run has ended."""
        return self._spool.path if self._spool else None

    def why_not(self) -> str:
        """Why records have not arrived; "" if nothing is known to be in the way."""
        sender = self._background and self._background.sender
        return (sender.stopped or sender.trouble) if sender else ""

    @property
    def is_denied(self) -> bool:
        """Whether the server refused our token, or asked for one, when it was last sent something."""
        return self._background is not None and self._background.sender.is_denied

    def _tell_what_is_left(self, count: int) -> None:
        why = self.why_not()
        if self._background and self._background.sender.told == why:
            why = ""
        warn(
            f"{_records(count, f' of {self.project}/{self.key}')} not arrived"
            f"{why and f': {why}'}. "
            f"They are safe in {self._place.root}; to send them: {' && '.join(self._steps())}"
        )

    def _steps(self) -> list[str]:
        """What to type to send the records that are left. Whoever gave a password is asked for it."""
        root, address, credentials = self._place
        steps = [f"runyard sync {quote(str(root))}"]
        sender = self._background and self._background.sender
        if sender and sender.wants_token and not credentials.user:
            steps.insert(0, f"runyard login {quote(address.url)}")
            if config.token_of_environment(address.origin):
                steps.insert(0, "unset RUNYARD_TOKEN")
        return steps

    def forget_parent(self) -> None:
        """In a forked child: what was the parent's is let go of; the first record begins anew."""
        self._lock = threading.RLock()
        if self._spool and self._background:
            self._spool.drop_inherited()
            self._background.sender.transport.close()
        self._spool = self._background = None
        self.is_owner = self.may_own = False
        is_unconfirmed = self._start.get("resume") and not self.page_url
        kept = (*NAMES, "resume") if is_unconfirmed else NAMES
        self._start = {name: self._start[name] for name in kept if name in self._start}


def _records(count: int, of: str = "") -> str:
    return f"1 record{of} has" if count == 1 else f"{count} records{of} have"
