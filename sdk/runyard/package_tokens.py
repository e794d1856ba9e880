"""`~/.dash/tokens.encrypted`, where the published package `ml-dash` looks for its only token.

It sends it to whatever server it is given: so it is put there on request alone. Needs `cryptography`.
"""

import json
from pathlib import Path
from typing import Any

from runyard import tokens

ENTRY = "ml-dash-token"


def token_path() -> Path:
    return Path.home() / ".dash" / "tokens.encrypted"


def key_path() -> Path:
    return Path.home() / ".dash" / "encryption.key"


def store_token(token: str) -> Path:
    """Beside what else is kept there, with the key that is there.

    Raises: OSError, ImportError, ValueError if it cannot be read: the package could not either.
    """
    return _write(_read() | {ENTRY: token})


def forget_token(token: str | None) -> bool:
    """Whether it was there; another one stays. Raises: OSError, ImportError."""
    try:
        kept = _read()
    except ValueError:  # nobody can read it
        return False
    if token is None or kept.get(ENTRY) != token:
        return False
    del kept[ENTRY]
    _write(kept)
    return True


def _read() -> dict[str, Any]:
    """Empty if there is no file. Raises: OSError, ValueError, ImportError."""
    path = token_path()
    if not path.exists():
        return {}
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 -- optional dependency

    try:
        content = json.loads(_fernet().decrypt(path.read_bytes()))
    except (InvalidToken, ValueError):
        content = None
    if not isinstance(content, dict):
        raise ValueError(f"{path} cannot be read with {key_path()}: remove both, and try again.")
    return content


def _write(kept: dict[str, Any]) -> Path:
    return tokens.write_private(token_path(), _fernet().encrypt(json.dumps(kept).encode()))


def _fernet() -> Any:
    """With the key that is there, else with a new one. Raises: OSError, ValueError."""
    from cryptography.fernet import Fernet  # noqa: PLC0415 -- optional dependency

    path = key_path()
    if not path.exists():
        tokens.write_private(path, Fernet.generate_key())
    try:
        return Fernet(path.read_bytes())
    except ValueError:
        raise ValueError(f"{path} holds no key: remove it, and try again.") from None
