"""Brings strands to the server: the watermark decides what is sent.

Two batches are on their way at a time: one at the server, one in the making.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from runyard.answers import Verdict, advise, explain, judge, retry_after_s
from runyard.batches import encode_batch
from runyard.errors import RunyardError, TransportError
from runyard.importing.source import (
    FoundRun,
    Parcel,
    Problem,
    Record,
    Strand,
    encode,
    file_number,
    first_strand,
    is_running,
    whole,
)
from runyard.names import full_jitter
from runyard.records import FRAME, Lost
from runyard.sender import BACKOFF_S, BATCH_PATH, MAX_BATCH_BYTES, MAX_RECORDS, RunInfo
from runyard.transport import Body, Response, Transport
from runyard.uploads import Upload

PATIENCE_S = 30.0  # with a server that is silent or busy
MAX_REFUSED = 100  # records of one strand; then something is wrong with all of it
MAX_REWINDS = 3
DOUBTFUL = "the server has a run of this name, and its damaged metadata does not say whether it is this one"


class Outcome(NamedTuple):
    """Of a strand or a run: records that were sent, those that were there, what was left out.

    `is_open`: as of a strand.
    """

    taken: int = 0
    known: int = 0
    problems: tuple[Problem, ...] = ()
    is_open: bool = False

    def plus(self, other: "Outcome") -> "Outcome":
        taken, known, problems, is_open = other
        return Outcome(
            self.taken + taken,
            self.known + known,
            self.problems + problems,
            self.is_open or is_open,
        )


class ImportStopped(RunyardError):
    """Nothing more can be sent to this server now; `str(error)` says why and what to do."""


class StrandLeft(RunyardError):
    """The server will not have this strand."""

    is_loss = True


class RunLeft(StrandLeft):
    """The server will have no strand of this run."""


class RunDeleted(RunLeft):
    """That is how people want it."""

    is_loss = False


class Rewound(RunyardError):
    """The server expects another record than the next one."""

    def __init__(self, expected_seq: int) -> None:
        super().__init__(f"record {expected_seq} is expected")
        self.expected_seq = expected_seq


class _Batch(NamedTuple):
    first_seq: int
    records: list[Record]


class Line(Transport, Protocol):
    """A transport that can ask as well."""

    def request(self, method: str, path: str) -> Response: ...


class Courier:
    """For one thread; each of its batches is sent by another."""

    def __init__(
        self,
        transport: Line,
        url: str,
        *,
        patience_s: float = PATIENCE_S,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        self._transport = transport
        self._url = url
        self._patience_s = patience_s
        self._is_ended = threading.Event()
        self._on_progress = on_progress

    def open(self, run: FoundRun) -> RunInfo:
        """The run, which is there from now on. Raises: StrandLeft, ImportStopped."""
        told = self._start(run, first_strand(run))
        return RunInfo(
            **{name: told["run"][name] for name in RunInfo._fields if name in told["run"]}
        )

    def deliver(self, run: FoundRun, info: RunInfo, strand: Strand) -> Outcome:
        """Bring what the server does not have. Raises: StrandLeft, ImportStopped."""
        if strand.start and self.has_already(info, strand):  # one that its start would change
            return Outcome()
        known_seq = first_known = self._start(run, strand)["acked_seq"]
        if known_seq == 1 and self.has_already(info, strand):
            return Outcome(known=sum(1 for _ in strand.read(1)))
        for _ in range(MAX_REWINDS):
            delivery = _Delivery(self, run, info, strand)
            try:
                delivery.send_after(known_seq)
            except Rewound:  # it was set back, perhaps to before it heard of the strand
                known_seq = self.find_watermark(run, strand)
                continue
            taken = max(0, delivery.last_seq - first_known) - len(delivery.problems)
            return Outcome(taken, first_known - 1, tuple(delivery.problems))
        raise StrandLeft("the server forgets what it was given")

    def deliver_first(self, run: FoundRun, info: RunInfo, strand: Strand) -> Outcome:
        """As `deliver`, to a run that was made just now: in half as many requests."""
        if info.created and not (strand.start or strand.parcel):
            with suppress(Rewound):  # two strands of one identity: the second has nothing new
                taken, _, problems, _ = self.go_on(run, info, whole(run, strand), 0)
                return Outcome(taken - 1 - len(problems), 0, problems)
        return self.deliver(run, info, strand)

    def has_already(self, info: RunInfo, strand: Strand) -> bool:
        """Whether somebody else has brought the strand. Raises: ImportStopped."""
        if strand.is_there is None or (info.created and not strand.is_shared):
            return False
        return strand.is_there(partial(self._ask, info))

    def is_running(self, info: RunInfo) -> bool:
        """Whether the server knows of no end. Raises: ImportStopped."""
        return is_running(partial(self._ask, info))

    def go_on(self, run: FoundRun, info: RunInfo, strand: Strand, known_seq: int) -> Outcome:
        """As `deliver`, of a strand that was begun before. Raises: Rewound, StrandLeft, ImportStopped."""
        delivery = _Delivery(self, run, info, strand)
        delivery.send_after(known_seq)
        return Outcome(delivery.last_seq - known_seq, 0, tuple(delivery.problems))

    def find_watermark(self, run: FoundRun, strand: Strand) -> int:
        """The last record of the strand that the server has. Raises: StrandLeft, ImportStopped."""
        return int(self._start(run, strand)["acked_seq"])

    def _start(self, run: FoundRun, strand: Strand) -> dict[str, Any]:
        """What the server says to the strand's first record, which may be told it again and again."""
        start = encode("start", {**run.where, **strand.start})
        if isinstance(start, Lost):
            raise StrandLeft(start.reason)
        answer = self.post_batch(run, strand, 1, [start])
        match judge(answer, receipt="acked_seq"):
            case Verdict.TAKEN if "run" in answer.json():
                return answer.json()
            case verdict:
                raise self.failure(verdict, answer)

    def post_batch(
        self, run: FoundRun, strand: Strand, first_seq: int, records: list[Record]
    ) -> Response:
        """Raises: ImportStopped."""
        head = {
            "project": run.project,
            "run": {"uid": run.run_uid, "key": run.key},
            "producer": run.producer(strand),
            "sent_at": time.time_ns() // 1000,
            "past": not run.is_live,
            "if_taken": "refuse" if run.is_doubtful else "rename",
        }
        payloads = [one if isinstance(one, Lost) else one[FRAME.size :] for one in records]
        body, _ = encode_batch(head, first_seq, payloads)
        return self.post(BATCH_PATH, lambda: body, "application/x-msgpack", receipt="acked_seq")

    def post(
        self, path: str, make_body: Callable[[], bytes | Body], content_type: str, *, receipt: str
    ) -> Response:
        """Patient with a server that is away or busy. Raises: ImportStopped."""
        give_up_at = time.monotonic() + self._patience_s
        attempts = 0
        while True:
            delay = full_jitter(min(BACKOFF_S[1], BACKOFF_S[0] * 2**attempts))
            try:
                answer = self._transport.post(path, make_body(), {"Content-Type": content_type})
            except TransportError as error:
                trouble = f"{self._url} does not answer ({error})"
            else:
                verdict = judge(answer, receipt=receipt)
                if verdict not in {Verdict.BUSY, Verdict.FAILED}:
                    return answer
                trouble = f"{self._url} does not take it now ({explain(answer)})"
                asked = retry_after_s(answer, longest_s=self._patience_s)
                delay = delay if asked is None else asked
            attempts = min(attempts + 1, 16)
            if time.monotonic() + delay > give_up_at or self._is_ended.wait(delay):
                raise ImportStopped(trouble)

    def _ask(self, info: RunInfo, path: str) -> dict[str, Any]:
        """{} where the server has no answer. Raises: ImportStopped."""
        try:
            answer = self._transport.request("GET", f"/api/experiments/{info.uid}/{path}")
        except TransportError as error:
            raise ImportStopped(f"{self._url} does not answer ({error})") from None
        return answer.json() if answer.status == 200 else {}

    def failure(self, verdict: Verdict, answer: Response) -> RunyardError:
        """Why a run, or all of them, cannot go on."""
        if verdict is Verdict.NAME_TAKEN:
            return RunLeft(DOUBTFUL)
        if verdict is Verdict.GONE:
            return RunDeleted("it was deleted on the server, and is left alone")
        if verdict is Verdict.DENIED and answer.status != 403:
            return ImportStopped(
                f"{self._url} does not let us in ({explain(answer)}): {advise(answer, self._url)}"
            )
        kind = RunLeft if verdict is Verdict.DENIED else StrandLeft
        return kind(f"the server refuses it: {explain(answer)}")

    def end(self) -> None:
        """Wait for nothing any more."""
        self._is_ended.set()

    def note_progress(self, count: int) -> None:
        if self._on_progress:
            self._on_progress(count)


class _Delivery:
    """One pass over a strand. `last_seq`: that of its last record."""

    def __init__(self, courier: Courier, run: FoundRun, info: RunInfo, strand: Strand) -> None:
        self._courier = courier
        self._run = run
        self._info = info
        self._strand = strand
        self.last_seq = 1
        self.problems: list[Problem] = []

    def send_after(self, known_seq: int) -> None:
        """Raises: Rewound, StrandLeft, ImportStopped."""
        with ThreadPoolExecutor(1) as pool:
            on_its_way: Future[None] | None = None
            try:
                for batch in self._batches(known_seq):
                    if on_its_way:
                        on_its_way.result()
                    on_its_way = pool.submit(self._send, batch)
                if on_its_way:
                    on_its_way.result()
            except KeyboardInterrupt:
                self._courier.end()
                raise

    def _batches(self, known_seq: int) -> Iterator[_Batch]:
        waiting: list[Record] = []
        size, self.last_seq = 0, known_seq
        for record in self._strand.read(known_seq):
            length = len(record) if isinstance(record, bytes) else 0
            if waiting and (len(waiting) == MAX_RECORDS or size + length > MAX_BATCH_BYTES):
                yield self._take(waiting)
                waiting, size = [], 0
            waiting.append(record)
            size += length
        if waiting:
            yield self._take(waiting)

    def _take(self, records: list[Record]) -> _Batch:
        first_seq = self.last_seq + 1
        self.last_seq += len(records)
        return _Batch(first_seq, records)

    def _send(self, batch: _Batch) -> None:
        """What the server will not have is set aside, one by one."""
        if self._strand.parcel and batch.first_seq == 2 and not self._upload(self._strand.parcel):
            return
        answer = self._courier.post_batch(self._run, self._strand, *batch)
        match judge(answer, receipt="acked_seq"):
            case Verdict.TAKEN:
                self._note_lost(batch)
                self._courier.note_progress(len(batch.records))
            case Verdict.REWIND:
                raise Rewound(answer.json()["expected_seq"])
            case Verdict.TOO_LARGE | Verdict.REFUSED:
                self._narrow_down(batch, answer)
            case verdict:
                raise self._courier.failure(verdict, answer)

    def _narrow_down(self, batch: _Batch, answer: Response) -> None:
        first_seq, records = batch
        if len(records) > 1:
            half = len(records) // 2
            self._send(_Batch(first_seq, records[:half]))
            self._send(_Batch(first_seq + half, records[half:]))
        elif isinstance(records[0], Lost) or len(self.problems) >= MAX_REFUSED:
            raise StrandLeft(f"the server refuses it: {explain(answer)}")
        else:
            self._send(_Batch(first_seq, [Lost(1, f"refused: {explain(answer)}")]))

    def _note_lost(self, batch: _Batch) -> None:
        place = f"{self._run.place}: {self._strand.name}"
        for seq, record in enumerate(batch.records, batch.first_seq):
            if isinstance(record, Lost):
                self.problems.append(Problem(place, f"record {seq}: {record.reason}"))

    def _upload(self, parcel: Parcel) -> bool:
        """What is refused is not marked as sent: the next import tries again."""
        answer = self._post_file(parcel)
        uid = parcel.entry.get("uid")
        if uid and answer.status == 409:  # that of another file, as in a run imported twice
            uid = file_number(self._run.identity, uid)
            answer = self._post_file(parcel._replace(entry={**parcel.entry, "uid": uid}))
        match judge(answer, receipt=_receipt(parcel)):
            case Verdict.TAKEN:
                return True
            case Verdict.REFUSED | Verdict.TOO_LARGE:
                return self._leave_out(f"the server refuses it: {explain(answer)}")
            case verdict:
                raise self._courier.failure(verdict, answer)

    def _post_file(self, parcel: Parcel) -> Response:
        """Raises: StrandLeft for one that cannot be read, ImportStopped."""
        project, key = quote(self._info.project), quote(self._info.key)
        path = f"/tracker/api/v1/projects/{project}/runs/{key}/artifacts"
        if "uid" in parcel.entry:
            path = f"/api/experiments/{self._info.uid}/files"
        try:
            form = Upload(parcel.path, parcel.entry)
            receipt = _receipt(parcel)
            return self._courier.post(path, lambda: form, form.content_type, receipt=receipt)
        except OSError as error:
            raise StrandLeft(f"it cannot be read: {error}") from None

    def _leave_out(self, reason: str) -> bool:
        self.problems.append(Problem(f"{self._run.place}: {self._strand.name}", reason))
        return False


def _receipt(parcel: Parcel) -> str:
    return "id" if "uid" in parcel.entry else "artifact_name"
