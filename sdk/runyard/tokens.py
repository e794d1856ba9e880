"""Tokens that `runyard login` keeps: a file of its user alone, each bound to the server it is for."""

import contextlib
import json
import os
import stat
from pathlib import Path

from runyard.origins import one_name


def tokens_path() -> Path:
    """$XDG_CONFIG_HOME/runyard/tokens.json."""
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "runyard" / "tokens.json"


def stored_token(origin: str) -> str | None:
    """A file that is not there, or says nothing, is as one without tokens: training goes on."""
    try:
        kept = _read()
    except (OSError, ValueError, RuntimeError):  # the last: there is no home directory
        return None
    return find_token(kept, origin)


def find_token(kept: dict[str, object], origin: str) -> str | None:
    """The one for this server; all names of this machine are one."""
    same = (kept[name] for name in kept if one_name(name) == one_name(origin))
    token = kept.get(origin) or next(same, None)
    return token if isinstance(token, str) and is_sendable(token) else None


def store_token(origin: str, token: str) -> Path:
    """Keep the token for this server, in place of an older one. Raises: OSError, ValueError."""
    return _write(without(_read(), origin) | {origin: token})


def forget_token(origin: str) -> bool:
    """Whether there was one. Raises: OSError, ValueError."""
    kept = _read()
    others = without(kept, origin)
    if len(others) == len(kept):
        return False
    _write(others)
    return True


def is_sendable(token: str) -> bool:
    """Whether a header can carry it: anything else was not meant as a token."""
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def is_open_to_others() -> bool:
    """Whether other users of this machine can read the file."""
    with contextlib.suppress(OSError, RuntimeError):
        return bool(tokens_path().stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    return False


def without(kept: dict[str, object], origin: str) -> dict[str, object]:
    """The tokens of other servers; all names of this machine are one."""
    return {name: kept[name] for name in kept if one_name(name) != one_name(origin)}


def _read() -> dict[str, object]:
    with contextlib.suppress(FileNotFoundError):
        content = json.loads(tokens_path().read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    return {}


def _write(tokens: dict[str, object]) -> Path:
    return write_private(tokens_path(), json.dumps(tokens, indent=2).encode())


def write_private(path: Path, content: bytes) -> Path:
    """All at once, and readable for nobody else at any moment. Raises: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    try:
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return path
