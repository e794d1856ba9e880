import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runyard import sender as sender_module
from runyard import spool as spool_module
from runyard.errors import RunExists, StartRefused, TransportError
from runyard.records import encode_event
from runyard.sender import RunInfo, Sender
from runyard.spool import Spool

from tests.sdk.conftest import add_rows
from tests.sdk.door import Answer, Door
from tests.sdk.scripted import Reply, ScriptedTransport, gaps, received, rows, run_to_end


def test_start_is_sent_alone_and_its_answer_kept(
    spool: Spool, transport: ScriptedTransport
) -> None:
    heard: list[RunInfo] = []
    add_rows(spool, 3)
    sender = Sender(spool, transport, if_taken="refuse", on_start=heard.append)
    transport.door.next_step = 7

    sender.step()

    info = RunInfo(spool.meta.run_uid, "r", created=True, next_step=7, path="/projects/p/runs/r")
    assert transport.spans == [(1, 1)]
    assert transport.batches[0]["if_taken"] == "refuse"
    assert heard == [info]
    assert sender.run == info


def test_batches_keep_to_a_thousand_records(sender: Sender, transport: ScriptedTransport) -> None:
    add_rows(sender.spool, 2_500)

    pauses = run_to_end(sender)

    assert transport.spans == [(2, 1_001), (1_002, 2_001), (2_002, 2_501)]
    assert [batch["logged_seq"] for batch in transport.batches] == [2_501] * 3
    assert pauses == [0.0, 0.0, 0.0]
    assert received(transport) == rows(2_500)


def test_batches_keep_to_a_megabyte(sender: Sender, transport: ScriptedTransport) -> None:
    for number in range(5):
        sender.spool.append(encode_event("notes", {"notes": str(number) * 400_000}))

    run_to_end(sender)

    assert transport.spans == [(2, 3), (4, 5), (6, 6)]


def test_new_records_wait_a_tick_for_company(sender: Sender) -> None:
    add_rows(sender.spool, 2)

    assert sender.step() == sender_module.TICK_S
    assert sender.step() == sender_module.TICK_S


@pytest.mark.parametrize(
    ("trouble", "pauses"),
    [
        (TransportError("refused"), [0.5, 1.0, 2.0]),
        (Answer(500), [0.5, 1.0, 2.0]),
        (Answer(502, {"detail": "bad gateway"}), [0.5, 1.0, 2.0]),
        (Answer(503, headers={"retry-after": "7"}), [7.0, 7.0, 7.0]),
        (Answer(429, headers={"retry-after": "2"}), [2.0, 2.0, 2.0]),
        (Answer(503), [0.5, 1.0, 2.0]),
        (Answer(404, {}), [0.5, 1.0, 2.0]),
        (Answer(200, {"hello": "captive portal"}), [0.5, 1.0, 2.0]),
        (Answer(401, {"detail": "no"}), [60.0, 60.0, 60.0]),
        (Answer(403, {"detail": "no"}), [60.0, 60.0, 60.0]),
        (Answer(308, headers={"location": "https://elsewhere"}), [60.0, 60.0, 60.0]),
    ],
)
def test_passing_trouble_delays_and_loses_nothing(
    sender: Sender, transport: ScriptedTransport, trouble: Reply, pauses: list[float]
) -> None:
    add_rows(sender.spool, 3)
    transport.script = [trouble] * 3

    measured = run_to_end(sender)

    assert measured == [*pauses, 0.0]
    assert transport.spans == [(2, 4)] * 4
    assert received(transport) == rows(3)
    assert gaps(transport) == []


def test_backoff_grows_to_a_minute_and_starts_anew(
    sender: Sender, transport: ScriptedTransport
) -> None:
    add_rows(sender.spool, 1)
    transport.script = [TransportError("down")] * 12

    assert [sender.step() for _ in range(12)][-4:] == [60.0] * 4
    sender.step()
    add_rows(sender.spool, 1)
    transport.script = [TransportError("down")]

    assert sender.step() == 0.5


def test_at_the_end_of_a_job_pauses_are_short(sender: Sender, transport: ScriptedTransport) -> None:
    add_rows(sender.spool, 1)
    transport.script = [TransportError("down")] * 9
    sender.is_draining = True

    assert max(sender.step() for _ in range(9)) == sender_module.DRAINING_BACKOFF_S


def test_trouble_is_told_once_each_time(
    sender: Sender, transport: ScriptedTransport, caplog: pytest.LogCaptureFixture
) -> None:
    add_rows(sender.spool, 1)
    transport.script = [TransportError("down")] * 5 + [None, TransportError("down again")]

    for _ in range(8):
        sender.step()
        add_rows(sender.spool, 1)

    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "does not answer (down). The job goes on" in caplog.text


def test_trouble_after_the_job_is_told_without_it(
    sender: Sender, transport: ScriptedTransport, caplog: pytest.LogCaptureFixture
) -> None:
    add_rows(sender.spool, 1)
    sender.begin_at_end()
    transport.script = [TransportError("down")]

    sender.step()

    [said] = caplog.messages
    assert said.endswith(
        f" does not answer (down). Records stay in {sender.spool.path}; `runyard sync` asks again."
    )


def test_lost_reply_doubles_nothing(sender: Sender, transport: ScriptedTransport) -> None:
    add_rows(sender.spool, 10)
    take, lose = transport.door.take, [True]

    def take_and_lose(path: str, body: bytes) -> Answer:
        answer = take(path, body)
        if lose.pop() if lose else False:
            raise TransportError("connection reset")
        return answer

    transport.door.take = take_and_lose  # type: ignore[method-assign]
    run_to_end(sender)

    assert len(transport.batches) == 2
    assert received(transport) == rows(10)


def test_server_set_back_is_given_the_kept_records_again(
    sender: Sender, transport: ScriptedTransport
) -> None:
    add_rows(sender.spool, 20)
    sender.step()
    producer = sender.spool.meta.producer
    transport.door.watermarks[producer] = 5
    transport.door.points["r"] = [p for p in transport.door.points["r"] if p[1] <= 5]
    add_rows(sender.spool, 5, first_step=20)

    run_to_end(sender)

    assert transport.spans == [(2, 21), (22, 26), (6, 26)]
    assert received(transport) == rows(25)


def test_server_set_back_beyond_what_is_kept_is_told_of_the_gap(
    make_spool: Callable[[], Spool], transport: ScriptedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "SEGMENT_BYTES", 400)
    monkeypatch.setattr(spool_module, "KEPT_BYTES", 800)
    spool = make_spool()
    sender = Sender(spool, transport)
    add_rows(spool, 50)
    while sender.backlog:
        sender.step()
    first_kept = spool.segments[0]
    transport.door = Door()
    add_rows(spool, 1, first_step=50)

    run_to_end(sender)

    assert gaps(transport) == [
        {
            "first_seq": 2,
            "last_seq": first_kept - 1,
            "count": first_kept - 2,
            "reason": "no longer on the disk of the job",
        }
    ]
    assert transport.door.payloads("r", "start") == [spool.meta.start]
    assert received(transport) == rows(51)[first_kept - 2 :]


def test_server_that_asks_for_what_it_is_given_is_not_hurried(
    sender: Sender, transport: ScriptedTransport
) -> None:
    add_rows(sender.spool, 1)
    transport.script = [Answer(409, {"detail": "x", "expected_seq": 2})] * 3

    assert [sender.step() for _ in range(3)] == [0.5, 1.0, 2.0]


def test_batch_that_is_too_large_is_halved(sender: Sender, transport: ScriptedTransport) -> None:
    add_rows(sender.spool, 900)
    transport.refuse = lambda batch: (
        Answer(413, {}) if batch["last_seq"] - batch["first_seq"] >= 300 else None
    )

    run_to_end(sender)

    assert transport.spans[:3] == [(2, 901), (2, 451), (2, 226)]
    assert received(transport) == rows(900)
    assert gaps(transport) == []


@pytest.mark.parametrize("status", [400, 404, 413, 415, 422])
def test_refused_record_is_set_aside_and_all_others_arrive(
    sender: Sender, transport: ScriptedTransport, status: int, root: Path
) -> None:
    add_rows(sender.spool, 1_000)
    bad_seq = 700

    def refuse_bad_record(batch: dict[str, Any]) -> Reply:
        offsets = memoryview(batch["q"]).cast("I").tolist()
        has_it = bad_seq in [batch["first_seq"] + offset for offset in offsets]
        return Answer(status, {"detail": "bad value"}) if has_it else None

    transport.refuse = refuse_bad_record
    run_to_end(sender)

    assert received(transport) == [row for row in rows(1_000) if row[0] != bad_seq - 2]
    assert gaps(transport) == [
        {
            "first_seq": bad_seq,
            "last_seq": bad_seq,
            "count": 1,
            "reason": f"refused: {status} bad value",
        }
    ]
    letter = root / "dead-letter" / f"{sender.spool.meta.producer}.jsonl"
    assert json.loads(letter.read_text()) == {
        "run": "p/r",
        "seq": bad_seq,
        "reason": f"{status} bad value",
        "step": bad_seq - 2,
        "time_us": 1_700_000_000_000_698,
        "metrics": {"loss": 698.0},
    }


def test_deleted_run_ends_the_sending_and_keeps_the_records(
    sender: Sender, transport: ScriptedTransport, caplog: pytest.LogCaptureFixture
) -> None:
    add_rows(sender.spool, 3)
    transport.script = [Answer(410, {"detail": "The run was deleted."})]

    sender.step()
    sender.step()

    assert len(transport.batches) == 1
    assert sender.stopped == "the run was deleted on the server (410 The run was deleted.)"
    assert (sender.spool.path / "stopped").read_text() == sender.stopped
    assert sender.spool.segment_path(1).exists()
    assert "nothing more is sent" in caplog.text


def test_wrong_credentials_are_asked_for_once(
    sender: Sender, transport: ScriptedTransport, caplog: pytest.LogCaptureFixture
) -> None:
    add_rows(sender.spool, 1)
    transport.script = [Answer(401, {"detail": "Who are you?"})] * 4

    for _ in range(4):
        sender.step()

    assert sender.is_denied
    assert [record.message for record in caplog.records] == [
        (
            f"runyard: {sender.spool.meta.url} does not let us in (401 Who are you?): set RUNYARD_TOKEN"
            f" to a valid token, or run: runyard login {sender.spool.meta.url}."
            f" Records are kept in {sender.spool.path} and sent later."
        )
    ]
    sender.step()
    assert not sender.is_denied


def test_refused_token_is_not_called_invalid(
    sender: Sender, transport: ScriptedTransport, caplog: pytest.LogCaptureFixture
) -> None:
    add_rows(sender.spool, 1)
    transport.script = [Answer(403, {"detail": "This API token may only read."})]

    sender.step()

    url = sender.spool.meta.url
    assert caplog.records[-1].message.startswith(
        f"runyard: {url} does not let us in (403 This API token may only read.): "
        f"set RUNYARD_TOKEN to a token that may write there, or run: runyard login {url}. "
    )
    assert sender.wants_token


def test_token_of_the_environment_stands_before_a_login(
    sender: Sender,
    transport: ScriptedTransport,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNYARD_TOKEN", "ry_wrong")
    add_rows(sender.spool, 1)
    transport.script = [Answer(401)]

    sender.step()

    assert "to a valid token, or unset it and run: runyard login " in caplog.text


def test_sign_of_life_is_given_when_there_is_nothing_to_say(
    sender: Sender, transport: ScriptedTransport
) -> None:
    sender.step()
    sender._contact_at -= sender_module.HEARTBEAT_S
    sender.step()
    sender.step()

    assert transport.spans == [(2, 1)]


def test_taken_name_is_refused_while_init_waits_and_renamed_afterwards(
    make_spool: Callable[[], Spool], transport: ScriptedTransport
) -> None:
    transport.door.runs["r"] = {"uid": "another", "key": "r", "created": True}
    refused, renamed = (Sender(make_spool(), transport, if_taken="refuse") for _ in range(2))

    refused.step()
    nothing_yet = renamed.accept_any_name()
    renamed.step()

    assert refused.stopped
    assert isinstance(refused.accept_any_name(), RunExists)
    assert "Pass another name, or resume=True" in str(refused.refusal)
    assert nothing_yet is None
    assert renamed.run
    assert renamed.run.key == "r-2"
    assert renamed.spool.meta.server_key == "r-2"


def test_start_that_the_server_will_not_have_ends_the_sending(
    spool: Spool, transport: ScriptedTransport
) -> None:
    transport.script = [Answer(400, {"detail": "Invalid project name."})]
    sender = Sender(spool, transport)
    add_rows(spool, 2)

    sender.step()
    sender.step()

    assert len(transport.batches) == 1
    assert isinstance(sender.refusal, StartRefused)
    assert str(sender.refusal) == "Invalid project name."
    assert spool.segment_path(1).exists()
    assert not (spool.path / "stopped").exists(), "sync may try again"
