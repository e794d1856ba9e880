import json

import pytest
from runyard.answers import Verdict, explain, judge, retry_after_s
from runyard.transport import Response

OURS = {"detail": "because"}


def answer(status: int, words: object = OURS, **headers: str) -> Response:
    body = words if isinstance(words, bytes) else json.dumps(words).encode()
    return Response(status, body, headers)


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        (answer(200, {"acked_seq": 3}), Verdict.TAKEN),
        (answer(200, b"<html>Please sign in</html>"), Verdict.FAILED),
        (answer(204, b""), Verdict.FAILED),
        (answer(301, b""), Verdict.DENIED),
        (answer(401), Verdict.DENIED),
        (answer(403), Verdict.DENIED),
        (answer(407, b""), Verdict.DENIED),
        (answer(400), Verdict.REFUSED),
        (answer(404), Verdict.REFUSED),
        (answer(404, b"nginx"), Verdict.FAILED),
        (answer(405, b""), Verdict.FAILED),
        (answer(408), Verdict.FAILED),
        (answer(409, {"detail": "x", "expected_seq": 4}), Verdict.REWIND),
        (answer(409, {"detail": "x", "code": "run_exists"}), Verdict.NAME_TAKEN),
        (answer(409), Verdict.REFUSED),
        (answer(410), Verdict.GONE),
        (answer(410, b""), Verdict.FAILED),
        (answer(413, b"nginx"), Verdict.TOO_LARGE),
        (answer(415), Verdict.REFUSED),
        (answer(425), Verdict.FAILED),
        (answer(429, b""), Verdict.BUSY),
        (answer(500, b""), Verdict.FAILED),
        (answer(502), Verdict.FAILED),
        (answer(503, b""), Verdict.BUSY),
        (answer(507, b"[]"), Verdict.FAILED),
    ],
)
def test_every_answer_has_its_verdict(response: Response, verdict: Verdict) -> None:
    assert judge(response, receipt="acked_seq") is verdict


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        ("-1", 0.0),
        ("99999", 600.0),
        ("Wed, 21 Oct 2026", None),
        ("", None),
    ],
)
def test_retry_after_is_understood_within_reason(text: str, seconds: float | None) -> None:
    assert retry_after_s(answer(503, **{"retry-after": text}), longest_s=600.0) == seconds


def test_explanation_is_the_servers_own_words() -> None:
    assert explain(answer(400)) == "400 because"
    assert explain(answer(502, b"<html>")) == "status 502"
