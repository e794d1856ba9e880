import json
from pathlib import Path

import pytest
from runyard import spool as spool_module
from runyard.errors import TransportError
from runyard.records import encode_event
from runyard.sender import Sender
from runyard.spool import Spool, read_meta

from tests.sdk.conftest import add_rows
from tests.sdk.door import Answer
from tests.sdk.scripted import ScriptedTransport, gaps, received, rows, run_to_end


def add_artifact(spool: Spool, content: bytes | None = b"weights") -> Path:
    copy = spool.path / "files" / "0123"
    copy.parent.mkdir()
    if content is not None:
        copy.write_bytes(content)
    spool.append(encode_event("artifact", {"name": "m.pt", "category": "model", "file": "0123"}))
    return copy


def test_artifact_is_uploaded_before_its_record(
    sender: Sender, transport: ScriptedTransport
) -> None:
    add_rows(sender.spool, 2)
    copy = add_artifact(sender.spool)
    add_rows(sender.spool, 2, first_step=2)

    run_to_end(sender)

    upload_path = "/tracker/api/v1/projects/p/runs/r/artifacts"
    assert transport.paths == ["/ingest/v1/batch"] * 2 + [upload_path, "/ingest/v1/batch"]
    assert b"weights" in transport.door.uploads[0][1]
    assert transport.door.payloads("r", "artifact") == [{"name": "m.pt"}]
    assert received(transport) == rows(4)
    assert copy.exists(), "the server may be set back"


def test_uploaded_copies_are_kept_as_far_as_there_is_room(
    sender: Sender, transport: ScriptedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "KEPT_BYTES", 6)
    copy = add_artifact(sender.spool, content=b"weights")

    run_to_end(sender)

    assert not copy.exists()
    transport.door.watermarks[sender.spool.meta.producer] = 1
    sender.next_seq = 2
    run_to_end(sender)
    assert [gap["reason"] for gap in gaps(transport)] == ["the file of 'm.pt' is gone"]


def test_server_set_back_is_given_a_kept_file_again(
    sender: Sender, transport: ScriptedTransport
) -> None:
    add_artifact(sender.spool)
    run_to_end(sender)
    transport.door.watermarks[sender.spool.meta.producer] = 1
    sender.next_seq = 2

    run_to_end(sender)

    assert len(transport.door.uploads) == 2
    assert gaps(transport) == []


def test_artifact_waits_for_a_busy_server(sender: Sender, transport: ScriptedTransport) -> None:
    copy = add_artifact(sender.spool)
    transport.script = [TransportError("down"), Answer(503, headers={"retry-after": "3"})]

    assert [sender.step(), sender.step()] == [0.5, 3.0]
    assert copy.exists()
    run_to_end(sender)
    assert len(transport.door.uploads) == 1


def test_refused_artifact_is_set_aside_with_its_file(
    sender: Sender, transport: ScriptedTransport, root: Path
) -> None:
    add_artifact(sender.spool)
    add_rows(sender.spool, 1)
    transport.script = [Answer(413, {"detail": "File too large."})]

    run_to_end(sender)

    producer = sender.spool.meta.producer
    kept = root / "dead-letter" / f"{producer}-2-m.pt"
    letter = json.loads((root / "dead-letter" / f"{producer}.jsonl").read_text())
    assert kept.read_bytes() == b"weights"
    assert letter["file"] == str(kept)
    assert [gap["reason"] for gap in gaps(transport)] == [
        "refused: artifact 'm.pt': 413 File too large."
    ]
    assert received(transport) == rows(1)


def test_artifact_whose_copy_is_gone_is_a_gap(sender: Sender, transport: ScriptedTransport) -> None:
    add_artifact(sender.spool, content=None)

    run_to_end(sender)

    assert [gap["reason"] for gap in gaps(transport)] == ["the file of 'm.pt' is gone"]
    assert transport.door.uploads == []


def add_node(spool: Spool, name: str = "m.pt") -> None:
    copy = spool.path / "files" / "0123"
    copy.parent.mkdir()
    copy.write_bytes(b"weights")
    node = {"uid": "7", "path": "/models", "checksum": "0f", "size": 7}
    spool.append(encode_event("artifact", {"name": name, "file": "0123", **node}))


def test_file_with_an_id_goes_to_the_run_that_the_server_made(
    sender: Sender, transport: ScriptedTransport
) -> None:
    server_uid = transport.door.runs["r"]["uid"] = "0233e6cc-2edf-5c7c-bc27-63a401765223"
    sender.spool.note_server_keys("p", "r", server_uid)
    add_node(sender.spool)
    known = read_meta(sender.spool.path)

    run_to_end(sender)

    assert known
    assert known.server_uid == server_uid
    assert transport.paths[-2:] == [f"/api/experiments/{server_uid}/files", "/ingest/v1/batch"]
    assert transport.door.payloads("r", "artifact") == [{"name": "m.pt", "uid": "7"}]


def test_refused_file_with_a_long_name_is_set_aside(
    sender: Sender, transport: ScriptedTransport, root: Path
) -> None:
    add_node(sender.spool, name="ü" * 120 + ".pt")
    transport.script = [Answer(409, {"detail": "The id 7 belongs to another file."})]

    run_to_end(sender)

    (kept,) = (root / "dead-letter").glob("*.pt")
    assert kept.read_bytes() == b"weights"
    assert "409 The id 7 belongs" in gaps(transport)[0]["reason"]
