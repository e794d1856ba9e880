"""Brings a spool to the server: in order, one request at a time, for ever if need be.

`step` does one thing and says how long to wait before the next, so that all of this can be tested
without a thread or a clock. `runyard.background` runs it beside a training; `runyard sync` and the
adoption of orphans run it to the end of a spool.
"""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

from runyard.answers import Verdict, advise, explain, judge, retry_after_s
from runyard.batches import encode_batch
from runyard.errors import RunExists, StartRefused, TransportError
from runyard.names import full_jitter
from runyard.notices import Once
from runyard.reader import Reader
from runyard.records import EVENT, Event, Lost, decode, describe
from runyard.spool import Spool
from runyard.transport import Response, Transport
from runyard.uploads import Upload

BATCH_PATH = "/ingest/v1/batch"
MAX_RECORDS = 1_000
MAX_BATCH_BYTES = 1024**2
TICK_S = 0.1  # records wait no longer than this for company
HEARTBEAT_S = 30.0
BACKOFF_S = (0.5, 60.0)
DRAINING_BACKOFF_S = 1.0  # at the end of a job there is no time for long pauses
DENIED_RETRY_S = 60.0
LONGEST_WAIT_S = 600.0  # whatever Retry-After says


class RunInfo(NamedTuple):
    """What the server says about the run when it starts."""

    uid: str
    key: str
    created: bool
    next_step: int
    path: str
    id: int | None = None
    project: str = ""


class Sender:
    """For one thread. `next_seq` is the first record that the server does not have."""

    def __init__(
        self,
        spool: Spool,
        transport: Transport,
        *,
        if_taken: Literal["rename", "refuse"] = "rename",
        on_start: Callable[[RunInfo], None] | None = None,
    ) -> None:
        self.spool = spool
        self.run: RunInfo | None = None
        self.next_seq = spool.segments[0] if spool.segments else 1
        self.stopped = ""  # why there will be no more sending
        self.trouble = ""  # why the server has not taken what it was sent last
        self.refusal: Exception | None = None  # why the run could not be started
        self.told = ""  # of it, to people who were not let in
        self.is_denied = False
        self.wants_token = False  # it is denied, and not because the address is wrong
        self.is_draining = False
        self.is_gone = False  # the run was deleted on the server
        self.is_orphan = False  # the job that wrote the spool is over
        self.attempts = 0  # since the server last took something
        self.has_rewound = False  # the server lacks what it had, or seems to
        self.has_tried = False  # the server has answered, or not answered, once
        self.transport = transport
        self._reader = Reader(spool)
        self._dead_letters = spool.path.parent.parent / "dead-letter"
        self._on_start = on_start
        self._if_taken = if_taken
        self._name_lock = threading.Lock()
        self._limit = MAX_RECORDS
        self._asks_from = 0  # the first record there is, until the server has said where it stands
        self._refused: dict[int, Lost] = {}
        self._uploaded: dict[int, Path] = {}
        self._contact_at = time.monotonic()
        self._notices = Once()
        self._refused_files = Once()  # each status once in all: a full project stays full

    @property
    def is_done(self) -> bool:
        """Nothing is left and nothing more will come."""
        return self.spool.is_closed and self.next_seq > self.spool.mark.seq

    @property
    def backlog(self) -> int:
        return max(0, self.spool.mark.seq + 1 - (self._asks_from or self.next_seq))

    @property
    def is_failing(self) -> bool:
        return self.attempts > 0 or self.is_denied

    def begin_at_end(self) -> None:
        """Ask with the last record of an adopted spool: the server says where to go on.

        Not with a file, which would be uploaded before the server has heard of its run.
        """
        self.is_orphan = True
        seq = self.spool.mark.seq
        last = self._reader.read(seq, max_records=1, max_bytes=MAX_BATCH_BYTES) if seq else []
        if last and not _as_artifact(last[0]):
            self._asks_from, self.next_seq = self.next_seq, seq

    def step(self) -> float:
        """Send a batch, an artifact or a sign of life. Returns how many seconds to wait now."""
        if self.is_done or self.stopped:
            return TICK_S
        limit = 1 if self.next_seq == 1 else self._limit  # the start alone: its answer matters
        records = self._reader.read(self.next_seq, max_records=limit, max_bytes=MAX_BATCH_BYTES)
        if not records:
            return self._show_life()
        records = self._put_in_refusals(records)
        before_artifact = self._count_before_artifact(records)
        if before_artifact == 0:
            return self._upload(records[0])
        return self._send(records[:before_artifact])

    def _show_life(self) -> float:
        if self.spool.is_closed or time.monotonic() < self._contact_at + HEARTBEAT_S:
            return TICK_S
        return self._send([])

    def _put_in_refusals(self, records: list[bytes | Lost]) -> list[bytes | Lost]:
        if not self._refused:
            return records
        return [self._refused.get(self.next_seq + i, record) for i, record in enumerate(records)]

    def _count_before_artifact(self, records: list[bytes | Lost]) -> int:
        """How many records come before a file that has yet to be uploaded."""
        for place, record in enumerate(records):
            if self.next_seq + place not in self._uploaded and _as_artifact(record):
                return place
        return len(records)

    def recover(self, error: Exception) -> float:
        """After an error that nobody thought of: say it and try again later."""
        self._notices.warn("error", f"{self._run_name}: {error!r}; trying again.")
        return self._back_off()

    def close(self) -> None:
        """Let go of the connection and the files; a spool that has arrived is out of the way."""
        self.transport.close()
        if self.is_done:
            self.spool.retire()
        else:
            self.spool.release()

    # ── Batches ──────────────────────────────────────────────────────────────

    def _send(self, records: list[bytes | Lost]) -> float:
        meta = self.spool.meta
        head = {
            "project": meta.project,
            "run": {"uid": meta.run_uid, "key": meta.key},
            "producer": meta.producer,
            "logged_seq": self.spool.mark.seq,
            "sent_at": time.time_ns() // 1000,
            "if_taken": self._if_taken,
        }
        body, _ = encode_batch(head, self.next_seq, records)
        answer = self._post(BATCH_PATH, body, "application/x-msgpack")
        if answer is None:
            return self._back_off()
        match judge(answer, receipt="acked_seq"):
            case Verdict.TAKEN:
                return self._note_receipt(answer.json())
            case Verdict.REWIND:
                return self._go_on_from(answer.json()["expected_seq"], answer)
            case Verdict.NAME_TAKEN:
                return self._note_name_taken()
            case Verdict.TOO_LARGE | Verdict.REFUSED if records:
                return self._narrow_down(records, answer)
            case verdict:
                return self._wait(verdict, answer)

    def _post(self, path: str, body: bytes | Upload, content_type: str) -> Response | None:
        try:
            answer = self.transport.post(path, body, {"Content-Type": content_type})
        except TransportError as error:
            self._warn_unreachable(str(error))
            return None
        self._contact_at = time.monotonic()
        return answer

    def _note_receipt(self, words: dict[str, Any]) -> float:
        acked_seq = words["acked_seq"]
        self._asks_from, self.next_seq = 0, acked_seq + 1
        self.attempts = 0
        self.is_denied = self.wants_token = False
        self.trouble = self.told = ""
        self._notices.is_over()
        self._limit = min(MAX_RECORDS, 2 * self._limit)
        self._forget(acked_seq)
        if "run" in words:
            told = words["run"]
            self._note_start(
                RunInfo(**{name: told[name] for name in RunInfo._fields if name in told})
            )
        self.has_tried = True
        is_behind = self.is_draining or self.spool.is_closed or self.backlog >= MAX_RECORDS
        return 0.0 if is_behind else TICK_S

    def _note_start(self, run: RunInfo) -> None:
        self.run = run
        self.spool.note_server_keys(run.project, run.key, run.uid)
        if self._on_start:
            self._on_start(run)

    def _forget(self, acked_seq: int) -> None:
        self.spool.forget(acked_seq)
        for seq in [seq for seq in self._refused if seq <= acked_seq]:
            del self._refused[seq]
        for seq in [seq for seq in self._uploaded if seq <= acked_seq]:
            self.spool.forget_copy(self._uploaded.pop(seq))

    def _go_on_from(self, expected_seq: int, answer: Response) -> float:
        """The server was set back, or knows more than we thought."""
        if expected_seq == self.next_seq:  # it asks for what it was given: no use in hurrying
            return self._wait(Verdict.FAILED, answer)
        self.has_rewound = True
        self._asks_from, self.next_seq = 0, expected_seq
        return 0.0 if self.spool.is_closed else TICK_S

    def _note_name_taken(self) -> float:
        with self._name_lock:
            if self._if_taken == "rename":  # `init` has stopped waiting meanwhile
                return self._back_off()
            meta = self.spool.meta
            self.refusal = RunExists(
                f"Run '{meta.key}' already exists in project '{meta.project}'. "
                "Pass another name, or resume=True to continue it."
            )
            self.stopped = "the name is taken"
            return TICK_S

    def accept_any_name(self) -> Exception | None:
        """From now on a taken name gives way, unless the start was refused before: that is returned."""
        with self._name_lock:
            self._if_taken = "rename"
            return self.refusal

    # ── What the server will not have ────────────────────────────────────────

    def _narrow_down(self, records: list[bytes | Lost], answer: Response) -> float:
        """Find the one record that is refused, set it aside and go on without it."""
        if len(records) > 1:
            self._limit = len(records) // 2
            return 0.0
        if self.next_seq == 1:
            self.refusal = StartRefused(explain(answer).partition(" ")[2] or explain(answer))
            self.stopped = f"the server refused the run: {explain(answer)}"
            self._notices.warn("start", f"{self._run_name}: {self.stopped}")
        elif isinstance(records[0], Lost):
            self.stopped = f"the server does not take the note of a gap: {explain(answer)}"
        else:
            self._set_aside(records[0], answer)
        return TICK_S if self.stopped else 0.0

    def _set_aside(self, record: bytes, answer: Response) -> None:
        """Keep a refused record for people to look at, and put a gap in its place."""
        seq, artifact, reason = self.next_seq, _as_artifact(record), explain(answer)
        if artifact:
            reason = f"artifact '{artifact['name']}': {reason}"
        self._refused[seq] = Lost(1, f"refused: {reason}")
        letter = {"run": self._run_name, "seq": seq, "reason": reason, **describe(record)}
        self._dead_letters.mkdir(parents=True, exist_ok=True)
        path = self._dead_letters / f"{self.spool.meta.producer}.jsonl"
        if artifact:
            end = str(artifact["name"])[
                -50:
            ]  # of a name that may be as long as a file system allows
            kept = path.with_name(f"{self.spool.meta.producer}-{seq}-{end}")
            self._artifact_path(artifact).replace(kept)
            letter["file"] = str(kept)
        with path.open("a") as file:
            file.write(json.dumps(letter) + "\n")
        text = f"{self._run_name}: {reason.rstrip('.')}. What was refused is in {path}"
        if artifact:
            self._refused_files.warn(str(answer.status), text)
        else:
            self._notices.warn("refused", text)

    # ── Artifacts ────────────────────────────────────────────────────────────

    def _upload(self, record: bytes | Lost) -> float:
        artifact = _as_artifact(record) or {}
        copy = self._artifact_path(artifact)
        try:
            upload = Upload(copy, artifact)
        except OSError:
            self._refused[self.next_seq] = Lost(1, f"the file of '{artifact['name']}' is gone")
            return 0.0
        is_node = "uid" in artifact
        path = self._node_address() if is_node else self._artifact_address()
        answer = self._post(path, upload, upload.content_type)
        if answer is None:
            return self._back_off()
        match judge(answer, receipt="id" if is_node else "artifact_name"):
            case Verdict.TAKEN:
                self._uploaded[self.next_seq] = copy
                return 0.0
            case Verdict.REFUSED | Verdict.TOO_LARGE if isinstance(record, bytes):
                self._set_aside(record, answer)
                return 0.0
            case verdict:
                return self._wait(verdict, answer)

    def _artifact_address(self) -> str:
        meta = self.spool.meta
        project, key = meta.server_project or meta.project, meta.server_key or meta.key
        return f"/tracker/api/v1/projects/{quote(project)}/runs/{quote(key)}/artifacts"

    def _node_address(self) -> str:
        """Of a file with an id of its own, which lies in folders."""
        meta = self.spool.meta
        return f"/api/experiments/{meta.server_uid or meta.run_uid}/files"

    def _artifact_path(self, artifact: dict[str, Any]) -> Path:
        return self.spool.path / "files" / str(artifact["file"])

    # ── Waiting ──────────────────────────────────────────────────────────────

    def _wait(self, verdict: Verdict, answer: Response) -> float:
        self.has_tried = True
        if verdict is Verdict.GONE:
            self.is_gone = True
            return self._stop_for_good(f"the run was deleted on the server ({explain(answer)})")
        if verdict is Verdict.DENIED:
            return self._ask_for_credentials(answer)
        if verdict is Verdict.BUSY:
            asked = retry_after_s(answer, longest_s=LONGEST_WAIT_S)
            if asked is not None:
                self.attempts += 1
                self.trouble = f"{self.spool.meta.url} wants us to wait ({explain(answer)})"
                return asked
        else:
            self._warn_unreachable(explain(answer))
        return self._back_off()

    def _back_off(self) -> float:
        """A random time, so that a hundred jobs do not come back at once; longer each time."""
        self.has_tried = True
        shortest, longest = BACKOFF_S
        limit = min(longest, shortest * 2 ** min(self.attempts, 16))
        self.attempts += 1
        return full_jitter(min(limit, DRAINING_BACKOFF_S) if self.is_draining else limit)

    def _ask_for_credentials(self, answer: Response) -> float:
        self.is_denied = True
        self.wants_token = "location" not in answer.headers
        self.trouble = f"{self.spool.meta.url} does not let us in ({explain(answer)})"
        if not self.is_draining:  # else the end of the run tells it, with what to do
            self._notices.warn(
                "denied",
                f"{self.trouble}: {advise(answer, self.spool.meta.url)}. "
                f"Records are kept in {self.spool.path} and sent later.",
            )
            self.told = self.trouble
        return DENIED_RETRY_S

    def _stop_for_good(self, reason: str) -> float:
        """The records are kept for some days, in case it was a mistake."""
        self.stopped = reason
        (self.spool.path / "stopped").write_text(reason)
        self._notices.warn("stopped", f"{self._run_name}: {reason}; nothing more is sent.")
        return TICK_S

    def _warn_unreachable(self, reason: str) -> None:
        self.trouble = f"{self.spool.meta.url} does not answer ({reason})"
        path = self.spool.path
        rest = f"The job goes on; records are kept in {path} and sent later."
        if self.is_orphan:
            rest = f"Records stay in {path}; `runyard sync` asks again."
        self._notices.warn("unreachable", f"{self.trouble}. {rest}")

    @property
    def _run_name(self) -> str:
        return f"{self.spool.meta.project}/{self.spool.meta.key}"


def _as_artifact(record: bytes | Lost) -> dict[str, Any] | None:
    """The payload of an artifact's record; None for any other."""
    if isinstance(record, Lost) or record[0] != EVENT:
        return None
    event = decode(record)
    return event.payload if isinstance(event, Event) and event.kind == "artifact" else None
