"""Edits on their way into files, from a server that answers as the test says."""

import json
from typing import Any

import pytest
from runyard.errors import TransportError
from runyard.transport import Response
from runyard.watching import edits as module
from runyard.watching.edits import Edits, read_projects


class Answers:
    """To each path asked for in turn."""

    def __init__(self, *answers: Response | None) -> None:
        self.answers = list(answers)
        self.paths: list[str] = []

    def request(self, method: str, path: str) -> Response:
        assert method == "GET"
        self.paths.append(path)
        answer = self.answers.pop(0)
        if answer is None:
            raise TransportError("away")
        return answer


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_S", 0.0)


def page(next_id: int, *edits: tuple[str | None, dict[str, Any]]) -> Response:
    found = [{"project": "p", "run_uid": uid, "values": values} for uid, values in edits]
    return Response(200, json.dumps({"edits": found, "next": next_id}).encode())


def follow(*answers: Response | None, cursor: int = 0) -> tuple[Edits, Answers]:
    transport = Answers(*answers)
    return Edits(transport, cursor), transport  # type: ignore[arg-type]


def test_edits_of_a_run_are_taken_together_and_once() -> None:
    edits, _ = follow(page(3, ("u", {"tags": ["a"]}), ("u", {"tags": ["b"], "notes": "n"})))

    assert edits.poll() == {"u"}
    assert edits.take("u") == {"tags": ["b"], "notes": "n"}
    assert edits.take("u") == {}
    assert edits.cursor == 3


def test_edits_of_projects_wait_for_themselves() -> None:
    edits, _ = follow(page(3, (None, {"notes": "n"})))

    assert edits.poll() == set()
    assert edits.has_projects
    assert edits.take_project("p") == {"notes": "n"}
    assert not edits.has_projects


def test_full_pages_are_followed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 1)
    edits, transport = follow(page(1, ("u", {})), page(2, ("v", {})), page(9), cursor=0)

    assert edits.poll() == {"u", "v"}
    assert transport.paths == [f"/api/edits?since={n}&limit=1" for n in (0, 1, 2)]
    assert edits.cursor == 9


def test_a_page_too_large_to_be_read_is_asked_for_by_halves() -> None:
    cut = Response(200, b'{"edits": [{"id"')
    edits, transport = follow(cut, cut, page(1, ("u", {"notes": "long"})))

    assert edits.poll() == {"u"}
    assert [path.rpartition("=")[2] for path in transport.paths] == ["100", "50", "25"]


@pytest.mark.parametrize("answer", [None, Response(404), Response(503), Response(401)])
def test_a_server_without_an_answer_is_asked_again_later(answer: Response | None) -> None:
    edits, _ = follow(answer, page(3, ("u", {"notes": "n"})))

    assert edits.poll() == set()
    assert edits.poll() == {"u"}


def test_projects_are_read_to_their_end() -> None:
    link = {"link": '<http://x/api/projects?offset=1>; rel="next"'}
    transport = Answers(Response(200, b'[{"name": "a"}]', link), Response(200, b'[{"name": "b"}]'))

    assert read_projects(transport) == {"a", "b"}  # type: ignore[arg-type]
    assert read_projects(Answers(None)) is None  # type: ignore[arg-type]
    assert read_projects(Answers(Response(500))) is None  # type: ignore[arg-type]
