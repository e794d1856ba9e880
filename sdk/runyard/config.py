"""Where things are and how long to wait: arguments first, then the environment, then defaults."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from runyard import dash_tokens, tokens
from runyard.errors import NoServer
from runyard.origins import one_name, with_scheme

SYSTEM_DIRS = frozenset(
    Path(name)
    for name in ("/", "/etc", "/sys", "/dev", "/bin", "/sbin", "/usr", "/var", "/boot", "/proc")
)
INIT_TIMEOUT_S = 5.0
EXIT_DEADLINE_S = 30.0
KEEP_SENT_S = 86_400.0  # servers are backed up once a day
NO_WORDS = frozenset({"0", "false", "no", "off"})


def data_dir(explicit: str | os.PathLike[str] | None = None) -> Path:
    """Where records wait: the argument, $RUNYARD_DIR, $ASPARA_DATA_DIR, else the XDG data directory.

    Raises: ValueError for a directory of the system.
    """
    given = explicit or os.environ.get("RUNYARD_DIR") or os.environ.get("ASPARA_DATA_DIR")
    return own_dir(given, "runyard")


def own_dir(given: str | os.PathLike[str] | None, name: str) -> Path:
    """The directory that was given, else the one of this name in the XDG data directory.

    Raises: ValueError for a directory of the system.
    """
    if given:
        path = Path(given).expanduser().resolve()
        if path in SYSTEM_DIRS:
            raise ValueError(f"{path} belongs to the system: choose another directory.")
        return path
    share = os.environ.get("XDG_DATA_HOME")
    base = Path(share).expanduser() if share else Path.home() / ".local" / "share"
    return base.absolute() / name


def server_url(explicit: str | None = None) -> str:
    """Raises: NoServer."""
    url = explicit or os.environ.get("RUNYARD_URL")
    if not url:
        raise NoServer(
            "No server to log to. Pass tracker_uri='http://host:port' or set RUNYARD_URL."
        )
    return url


def token_for(origin: str) -> str | None:
    """The token for this server, read anew each time: $RUNYARD_TOKEN, else what `runyard login` keeps.

    Where $RUNYARD_URL is set, $RUNYARD_TOKEN is only for the server there.
    """
    stored = token_of_environment(origin) or tokens.stored_token(origin)
    return stored or dash_tokens.stored_token(origin)  # where ML-Dash's programs keep theirs


def token_of_environment(origin: str) -> str | None:
    url = os.environ.get("RUNYARD_URL")
    token = os.environ.get("RUNYARD_TOKEN", "").strip()
    is_meant = tokens.is_sendable(token) and (not url or one_name(origin) == one_name(_origin(url)))
    return token if is_meant else None


def _origin(url: str) -> str:
    parts = urlsplit(with_scheme(url))
    return f"{parts.scheme}://{parts.netloc}".lower()


def init_timeout_s() -> float:
    """How long `init` may wait for the server."""
    return _seconds("RUNYARD_INIT_TIMEOUT", INIT_TIMEOUT_S)


def exit_deadline_s() -> float:
    """How long the end of a job may wait for its last records to arrive."""
    return _seconds("RUNYARD_EXIT_DEADLINE", EXIT_DEADLINE_S)


def keep_sent_s() -> float:
    """How long records that have arrived are kept, in case the server is restored from a backup."""
    return _seconds("RUNYARD_KEEP_SENT", KEEP_SENT_S)


def logs_here() -> bool:
    """Of several processes of one training only rank 0 logs, unless $RUNYARD_RANKS is `all`."""
    rank = os.environ.get("RANK") or os.environ.get("LOCAL_RANK") or "0"
    return rank.strip() == "0" or os.environ.get("RUNYARD_RANKS") == "all"


def describes_environment() -> bool:
    """Whether the server hears of the machine and the code; see `runyard.environment`."""
    return os.environ.get("RUNYARD_ENVIRONMENT", "1").strip().lower() not in NO_WORDS


def _seconds(name: str, default: float) -> float:
    text = os.environ.get(name)
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{name} must be a number of seconds, not {text!r}.")
    return seconds
