"""What the server's answers mean for the records that were sent."""

from enum import Enum, auto

from runyard import config
from runyard.transport import Response, parse_address


class Verdict(Enum):
    TAKEN = auto()  # stored: forget them
    REWIND = auto()  # the server stands elsewhere in the log
    NAME_TAKEN = auto()  # the run's name belongs to another run
    TOO_LARGE = auto()  # send less at once
    REFUSED = auto()  # will be refused again, however often it is sent
    GONE = auto()  # the run was deleted
    DENIED = auto()  # wrong credentials, or the wrong address
    BUSY = auto()  # the server says when to come back
    FAILED = auto()  # come back later


BY_STATUS = {
    408: Verdict.FAILED,
    410: Verdict.GONE,
    425: Verdict.FAILED,
    429: Verdict.BUSY,
    503: Verdict.BUSY,
}


def judge(answer: Response, *, receipt: str) -> Verdict:
    """`receipt`: the key in the body by which the server, not some proxy, says that it has stored."""
    status, words = answer.status, answer.json()
    if status < 300:
        return Verdict.TAKEN if receipt in words else Verdict.FAILED
    if status < 400 or status in {401, 403, 407}:
        return Verdict.DENIED
    if status == 409 and ("expected_seq" in words or words.get("code") == "run_exists"):
        return Verdict.REWIND if "expected_seq" in words else Verdict.NAME_TAKEN
    if status == 413:
        return Verdict.TOO_LARGE
    if status < 500 and status not in {408, 425, 429} and "detail" not in words:
        return Verdict.FAILED  # not our server's words: a proxy while the server is being replaced
    return BY_STATUS.get(status, Verdict.REFUSED if status < 500 else Verdict.FAILED)


def retry_after_s(answer: Response, *, longest_s: float) -> float | None:
    """What the server asked for, in seconds; None if it did not, or gave a date."""
    try:
        seconds = float(answer.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(max(seconds, 0.0), longest_s)


def advise(answer: Response, url: str) -> str:
    """What people can do who are not let in."""
    if where := answer.headers.get("location"):
        return f"it points to {where}"
    wanted = "a token that may write there" if answer.status == 403 else "a valid token"
    if config.token_of_environment(parse_address(url).origin):
        return f"set RUNYARD_TOKEN to {wanted}, or unset it and run: runyard login {url}"
    return f"set RUNYARD_TOKEN to {wanted}, or run: runyard login {url}"


def explain(answer: Response) -> str:
    """The server's own words, in short."""
    detail = answer.json().get("detail")
    return f"{answer.status} {detail}" if isinstance(detail, str) else f"status {answer.status}"
