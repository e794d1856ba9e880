"""A batch door behind a login, whose tokens end when the test wants it."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

from tests.sdk.door import Answer, Door, open_door

LOGIN = "/auth/login"
WRONG = {"detail": "Incorrect username or password"}


def make_jwt(number: int, lifetime_s: float, now: float | None = None) -> str:
    """Told apart by `number`; nobody checks the signature."""
    now = time.time() if now is None else now
    claims = {"sub": "user", "jti": number, "iat": now, "exp": now + lifetime_s}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


class Gate(Door):
    """`tokens` are those that open it. Runs get numbers and live in the project `my-project-2`."""

    def __init__(self) -> None:
        super().__init__()
        self.password = "pass"
        self.lifetime_s = 3600.0
        self.tokens: set[str] = set()
        self.logins: list[dict[str, list[str]]] = []
        self.login_answer: Answer | None = None

    def take(self, path: str, body: bytes) -> Answer:
        if path == LOGIN:
            return self.let_in(body)
        if self.shown_token() not in self.tokens:
            return Answer(401, {"detail": "Could not validate credentials"})
        answer = super().take(path, body)
        if "run" in answer.words:
            answer.words["run"] |= {"id": 7, "project": "my-project-2"}
        return answer

    def shown_token(self) -> str:
        return self.requests[-1][1].get("authorization", "").removeprefix("Bearer ")

    def let_in(self, body: bytes) -> Answer:
        form = parse_qs(body.decode())
        self.logins.append(form)
        if self.login_answer:
            return self.login_answer
        if form != {"username": ["user"], "password": [self.password]}:
            return Answer(401, WRONG, {"WWW-Authenticate": "Bearer"})
        token = make_jwt(len(self.logins), self.lifetime_s)
        self.tokens.add(token)
        return Answer(200, {"access_token": token, "token_type": "bearer"})


@contextmanager
def open_gate() -> Iterator[Gate]:
    gate = Gate()
    with open_door(gate):
        yield gate
