import time
from collections.abc import Callable, Iterator

import pytest
from runyard.credentials import NotLetIn
from runyard.errors import LoginRefused, TransportError
from runyard.passwords import Login, lifetime_s
from runyard.transport import Address, HttpTransport, parse_address

from tests.sdk.door import Answer
from tests.sdk.gate import LOGIN, WRONG, Gate, make_jwt, open_gate

DEAD = parse_address("http://127.0.0.1:1")


@pytest.fixture
def gate() -> Iterator[Gate]:
    with open_gate() as gate:
        yield gate


@pytest.fixture
def address(gate: Gate) -> Address:
    return parse_address(gate.url)


@pytest.fixture
def login() -> Login:
    return Login("user", "pass")


@pytest.fixture
def post(address: Address, login: Login) -> Iterator[Callable[[], int]]:
    """Knock with the login; gives the status. A door that lets in has no such path: 404."""
    transport = HttpTransport(address, login, timeout_s=5.0)
    yield lambda: transport.post("/nowhere", b"x", {}).status
    transport.close()


def test_password_is_sent_once_and_its_token_with_each_request(
    gate: Gate, post: Callable[[], int]
) -> None:
    assert [post(), post()] == [404, 404]

    assert gate.logins == [{"username": ["user"], "password": ["pass"]}]
    (path, headers), *others = gate.requests
    assert path == LOGIN
    assert "authorization" not in headers
    assert {shown["authorization"] for _, shown in others} == {f"Bearer {next(iter(gate.tokens))}"}


def test_token_is_renewed_before_it_ends(
    gate: Gate, post: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.lifetime_s = 100.0
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    post()
    now += 79
    post()
    assert len(gate.logins) == 1

    now += 2
    post()

    assert len(gate.logins) == 2


def test_token_that_is_refused_is_renewed_at_once(gate: Gate, post: Callable[[], int]) -> None:
    post()
    gate.tokens.clear()

    assert post() == 404
    assert len(gate.logins) == 2


def test_new_token_that_is_refused_too_is_not_renewed_for_ever(
    gate: Gate, post: Callable[[], int]
) -> None:
    gate.tokens = _TakesNothing()

    assert post() == 401
    assert len(gate.logins) == 2


class _TakesNothing(set[str]):
    def add(self, element: str) -> None:
        pass


def test_given_token_is_used_as_long_as_it_is_good(gate: Gate, address: Address) -> None:
    gate.tokens.add("given")
    transport = HttpTransport(address, Login("user", "pass", "given"))

    assert transport.post("/nowhere", b"", {}).status == 404
    assert gate.logins == []
    gate.tokens.clear()
    assert transport.post("/nowhere", b"", {}).status == 404
    assert len(gate.logins) == 1
    transport.close()


def test_wrong_password_is_sent_once(gate: Gate, login: Login, post: Callable[[], int]) -> None:
    gate.password = "another"

    assert [post(), post(), post()] == [401, 401, 401]
    assert len(gate.logins) == 1
    assert [path for path, _ in gate.requests] == [LOGIN]


def test_token_of_the_environment_helps_when_the_password_does_not(
    gate: Gate, post: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.password = "another"
    post()
    gate.tokens.add("from-the-environment")
    monkeypatch.setenv("RUNYARD_TOKEN", "from-the-environment")

    assert post() == 404


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Answer(429, {"detail": "slow"}, {"Retry-After": "1"}), 429),
        (Answer(403, {"detail": "locked for a while"}), 401),
        (Answer(404, {}), 401),
        (Answer(401, {}), 401),
        (Answer(502, {}), 502),
        (Answer(200, {}), 200),
    ],
)
def test_login_that_fails_for_now_is_tried_again(
    gate: Gate, post: Callable[[], int], answer: Answer, status: int
) -> None:
    """Never a 4xx that would lay a record aside: the status is what the sender waits by."""
    gate.login_answer = answer
    assert post() == status

    gate.login_answer = None

    assert post() == 404


def test_check_raises_for_a_wrong_password_and_for_nothing_else(
    gate: Gate, address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    Login("user", "pass").check(DEAD, timeout_s=1)
    gate.login_answer = Answer(503)
    Login("user", "pass").check(address, timeout_s=1)
    gate.login_answer = Answer(401, WRONG)
    with pytest.raises(LoginRefused, match="refuses 'user': 401 Incorrect username or password"):
        Login("user", "pass").check(address, timeout_s=1)

    assert issubclass(LoginRefused, PermissionError)
    first, second = caplog.messages
    assert first.startswith("runyard: http://127.0.0.1:1 does not answer")
    assert "does not let us in now (status 503); trying later" in second
    assert "pass" not in f"{first}{second}"


def test_server_that_is_away_is_the_networks_business(login: Login) -> None:
    with pytest.raises(TransportError):
        login.token(DEAD)


def test_refusal_is_the_answer_of_the_door(gate: Gate, login: Login, address: Address) -> None:
    gate.password = "another"

    with pytest.raises(NotLetIn) as error:
        login.token(address)

    assert error.value.answer.json() == WRONG


def test_lifetime_is_what_the_token_says() -> None:
    assert lifetime_s(make_jwt(1, 1800, now=0)) == 1800, "whatever the clocks say"
    for opaque in ("ry_abc", "a.b.c", "e30.e30.e30", "e30.bnVsbA.x", ""):
        assert lifetime_s(opaque) == float("inf")
