from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest
from runyard.errors import TransportError
from runyard.importing import delivery
from runyard.importing.bringing import bring
from runyard.importing.delivery import (
    Courier,
    ImportStopped,
    Outcome,
    RunDeleted,
    RunLeft,
    StrandLeft,
)
from runyard.importing.source import FoundRun, Problem, Record, Strand, encode
from runyard.records import encode_points
from runyard.sender import RunInfo

from tests.sdk.door import Answer
from tests.sdk.importing.conftest import AskingTransport
from tests.sdk.scripted import Reply

RUN = FoundRun("one", "test", {"source": "aspara", "config": {"lr": 1}}, "here", key="r")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "full_jitter", lambda limit_s: 0.0)


@pytest.fixture
def courier(transport: AskingTransport) -> Courier:
    return Courier(transport, "http://server", patience_s=0.2)


@pytest.fixture
def info(courier: Courier, transport: AskingTransport) -> RunInfo:
    info = courier.open(RUN)
    transport.batches.clear()
    return info


def points(count: int) -> Iterator[Record]:
    return (encode_points(("loss",), [float(n)], n, 1_000 + n) for n in range(count))


def strand(count: int, read: Callable[[int], Iterator[Record]] = points) -> Strand:
    return Strand("points", "points", lambda after: islice(read(count), after - 1, None))


def values(transport: AskingTransport) -> list[tuple[int, float]]:
    return transport.door.values("r", "loss")


def expected(count: int) -> list[tuple[int, float]]:
    return [(n, float(n)) for n in range(count)]


def test_the_run_is_made_with_all_that_is_known_of_it(
    courier: Courier, transport: AskingTransport
) -> None:
    info = courier.open(RUN)

    assert (info.key, info.created) == ("r", True)
    assert transport.door.payloads("r", "start") == [{"source": "aspara", "config": {"lr": 1}}]


def test_records_arrive_in_batches_of_a_thousand(
    courier: Courier, info: RunInfo, transport: AskingTransport
) -> None:
    outcome = courier.deliver(RUN, info, strand(2_500))

    assert outcome == Outcome(taken=2_500)
    assert transport.spans == [(1, 1), (2, 1_001), (1_002, 2_001), (2_002, 2_501)]
    assert values(transport) == expected(2_500)


def test_batches_keep_to_a_megabyte(
    courier: Courier, info: RunInfo, transport: AskingTransport
) -> None:
    big = Strand("n", "n", lambda _: (encode("notes", {"notes": "x" * 400_000}) for _ in range(5)))

    courier.deliver(RUN, info, big)

    assert transport.spans == [(1, 1), (2, 3), (4, 5), (6, 6)]


def test_only_what_is_new_is_sent(
    courier: Courier, info: RunInfo, transport: AskingTransport
) -> None:
    courier.deliver(RUN, info, strand(1_500))
    transport.batches.clear()

    again = courier.deliver(RUN, info, strand(1_500))
    grown = courier.deliver(RUN, info, strand(1_700))

    assert again == Outcome(known=1_500)
    assert grown == Outcome(taken=200, known=1_500)
    assert transport.spans == [(1, 1), (1, 1), (1_502, 1_701)]
    assert values(transport) == expected(1_700)


def test_a_server_that_was_set_back_gets_what_it_lacks(
    courier: Courier, info: RunInfo, transport: AskingTransport
) -> None:
    transport.script = [None, None, Answer(409, {"detail": "rewind", "expected_seq": 502})]

    outcome = courier.deliver(RUN, info, strand(3_000))

    assert outcome == Outcome(taken=3_000)
    assert values(transport) == expected(3_000)
    assert transport.spans[:4] == [(1, 1), (2, 1_001), (1_002, 2_001), (1, 1)]


def test_a_server_that_forgets_for_ever_is_left(
    courier: Courier, info: RunInfo, transport: AskingTransport
) -> None:
    transport.refuse = lambda batch: (
        Answer(409, {"detail": "rewind", "expected_seq": 1}) if batch["first_seq"] > 1 else None
    )

    with pytest.raises(StrandLeft, match="forgets"):
        courier.deliver(RUN, info, strand(10))


def test_refused_records_leave_gaps_and_are_told(
    courier: Courier, info: RunInfo, transport: AskingTransport
) -> None:
    def refuse(batch: dict[str, Any]) -> Reply:
        bad = any(kind == "bad" for _, kind, _ in batch["events"])
        return Answer(400, {"detail": "Unknown kind"}) if bad else None

    def read(count: int) -> Iterator[Record]:
        yield from points(count)
        yield encode("bad", {})
        yield encode("notes", {"notes": "after"})

    transport.refuse = refuse

    outcome = courier.deliver(RUN, info, strand(20, read))

    reason = "record 22: refused: 400 Unknown kind"
    assert outcome == Outcome(taken=21, problems=(Problem("here: points", reason),))
    assert values(transport) == expected(20)
    assert [gap["first_seq"] for gap in transport.door.payloads("r", "gap")] == [22]
    assert transport.door.payloads("r", "notes") == [{"notes": "after"}]


def test_too_large_batches_are_halved(
    courier: Courier, info: RunInfo, transport: AskingTransport
) -> None:
    transport.refuse = lambda batch: (
        Answer(413, {"detail": "too large"})
        if batch["last_seq"] - batch["first_seq"] >= 300
        else None
    )

    assert courier.deliver(RUN, info, strand(1_000)) == Outcome(taken=1_000)
    assert values(transport) == expected(1_000)


def test_a_strand_that_is_refused_throughout_is_given_up(
    courier: Courier, info: RunInfo, transport: AskingTransport
) -> None:
    def refuse(batch: dict[str, Any]) -> Reply:
        bad = batch["first_seq"] > 1 and any(kind != "gap" for _, kind, _ in batch["events"])
        return Answer(400, {"detail": "no"}) if bad else None

    transport.refuse = refuse
    notes = Strand("n", "n", lambda _: (encode("notes", {"notes": str(n)}) for n in range(5_000)))

    with pytest.raises(StrandLeft, match="refuses it: 400 no"):
        courier.deliver(RUN, info, notes)
    assert len(transport.batches) < 1_000


@pytest.mark.parametrize(
    "trouble",
    [
        TransportError("refused"),
        Answer(500),
        Answer(503, {"detail": "busy"}, {"retry-after": "0"}),
        Answer(429, {"detail": "slowly"}, {"retry-after": "0.01"}),
        Answer(404, {}),
    ],
)
def test_passing_trouble_is_waited_for(
    courier: Courier, info: RunInfo, transport: AskingTransport, trouble: Reply
) -> None:
    transport.script = [trouble, trouble, None, trouble]

    assert courier.deliver(RUN, info, strand(10)) == Outcome(taken=10)
    assert values(transport) == expected(10)


@pytest.mark.parametrize(
    ("trouble", "error", "words"),
    [
        (TransportError("refused"), ImportStopped, "does not answer"),
        (Answer(500), ImportStopped, "does not take it now"),
        (Answer(429, {"detail": "x"}, {"retry-after": "9999"}), ImportStopped, "429 x"),
        (Answer(401, {"detail": "no"}), ImportStopped, "runyard login http://server"),
        (Answer(302, {}, {"location": "/login"}), ImportStopped, "it points to /login"),
        (Answer(403, {"detail": "not yours"}), RunLeft, "403 not yours"),
        (Answer(410, {"detail": "gone"}), RunDeleted, "left alone"),
        (Answer(400, {"detail": "bad name"}), StrandLeft, "400 bad name"),
    ],
)
def test_lasting_trouble_ends_it_with_a_reason(
    courier: Courier, transport: AskingTransport, trouble: Reply, error: type, words: str
) -> None:
    transport.refuse = lambda batch: trouble

    with pytest.raises(error, match=words):
        courier.open(RUN)


class OneRun:
    """A source with three strands."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def find(self) -> Iterator[FoundRun]:
        yield RUN

    def strands(self, run: FoundRun) -> Iterator[Strand]:
        for name in ("a", "b", "c"):
            yield Strand(
                name, name, lambda after, n=name: iter([encode("notes", {"notes": n})][after - 1 :])
            )


def test_a_refused_strand_does_not_keep_the_others(
    courier: Courier, transport: AskingTransport
) -> None:
    refused = RUN.producer(Strand("b", "b", lambda _: iter(())))
    transport.refuse = lambda batch: (
        Answer(400, {"detail": "no"}) if batch["producer"] == refused else None
    )

    info, outcome = bring(courier, OneRun(), RUN)

    assert info is not None
    problem = Problem("here: b", "the server refuses it: 400 no")
    assert outcome == Outcome(taken=2, problems=(problem,))


def test_a_run_that_was_deleted_is_left_alone(courier: Courier, transport: AskingTransport) -> None:
    transport.refuse = lambda batch: Answer(410, {"detail": "The run was deleted."})

    info, outcome = bring(courier, OneRun(), RUN)

    assert info is None
    reason = "it was deleted on the server, and is left alone"
    assert outcome == Outcome(problems=(Problem("here", reason, is_loss=False),))
    assert len(transport.batches) == 1


def test_records_that_cannot_be_packed_leave_gaps(
    courier: Courier, info: RunInfo, transport: AskingTransport
) -> None:
    odd = [
        encode("notes", {"notes": "x" * 9_000_000}),
        encode("row", {"fields": {"x": 2**80, "half": "\ud800"}}),
    ]

    outcome = courier.deliver(RUN, info, Strand("odd", "odd", lambda _: iter(odd)))

    assert outcome.taken == 1
    assert "takes 9000" in outcome.problems[0].reason
    assert transport.door.payloads("r", "row") == [{"fields": {"x": str(2**80), "half": "\\ud800"}}]


def test_strands_of_a_new_run_take_one_request_each(transport: AskingTransport) -> None:
    source = OneRun()
    courier = Courier(transport, "http://server")

    _, outcome = bring(courier, source, RUN)
    _, again = bring(courier, source, RUN)

    assert (outcome, again) == (Outcome(taken=3), Outcome(known=3))
    assert transport.spans == [(1, 1), *[(1, 2)] * 3, *[(1, 1)] * 4]
