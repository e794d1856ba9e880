"""`~/.dash/token.enc`, where ML-Dash looks for tokens: encrypted, each bound to the server it is for.

The key lies beside it, for its user alone: what is kept from others is a copy of one file of the two,
as in a backup. Needs `cryptography`, the extra `runyard[login]`.
"""

import contextlib
import json
import stat
from pathlib import Path
from typing import Any

from runyard import tokens
from runyard.notices import Once

EXTRA = "pip install 'runyard[login]'"
_notices = Once()  # of this process


def token_path() -> Path:
    return Path.home() / ".dash" / "token.enc"


def key_path() -> Path:
    return Path.home() / ".dash" / "token.key"


def is_available() -> bool:
    from importlib.util import find_spec  # noqa: PLC0415 -- slow import

    return find_spec("cryptography") is not None


def stored_token(origin: str) -> str | None:
    """A file that is not there, or cannot be read, is as one without tokens: training goes on."""
    try:
        return tokens.find_token(_read(), origin)
    except ImportError:
        _notices.warn("extra", f"{token_path()} cannot be read without cryptography: {EXTRA}")
    except (OSError, ValueError, RuntimeError) as error:
        _notices.warn("damaged", f"{token_path()} cannot be read ({error}); run: runyard login")
    return None


def store_token(origin: str, token: str) -> Path:
    """Keep the token for this server, in place of an older one. Raises: OSError, ImportError."""
    kept: dict[str, object] = {}
    with contextlib.suppress(ValueError):  # damaged: begun anew
        kept = _read()
    return _write(tokens.without(kept, origin) | {origin: token})


def forget_token(origin: str) -> bool:
    """Whether there was one. Raises: OSError, ValueError, ImportError."""
    kept = _read()
    others = tokens.without(kept, origin)
    if len(others) == len(kept):
        return False
    _write(others)
    return True


def is_open_to_others() -> bool:
    """Whether other users of this machine can read the key."""
    with contextlib.suppress(OSError, RuntimeError):
        return bool(key_path().stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    return False


def _read() -> dict[str, object]:
    """Empty if there is no file. Raises: OSError, ValueError, ImportError."""
    path = token_path()
    if not path.exists():
        return {}
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 -- optional dependency

    try:
        content = json.loads(_fernet(key_path().read_bytes()).decrypt(path.read_bytes()))
    except (InvalidToken, FileNotFoundError):
        raise ValueError("its key does not fit") from None
    if not isinstance(content, dict):
        raise ValueError("it does not hold tokens by server")
    return content


def _write(kept: dict[str, object]) -> Path:
    from cryptography.fernet import Fernet  # noqa: PLC0415 -- optional dependency

    with contextlib.suppress(FileNotFoundError, ValueError):
        return _encrypt(kept, key_path().read_bytes())
    key = Fernet.generate_key()
    tokens.write_private(key_path(), key)
    return _encrypt(kept, key)


def _encrypt(kept: dict[str, object], key: bytes) -> Path:
    """Raises: ValueError if the key is none, OSError."""
    return tokens.write_private(token_path(), _fernet(key).encrypt(json.dumps(kept).encode()))


def _fernet(key: bytes) -> Any:
    """Raises: ValueError for what is no key."""
    from cryptography.fernet import Fernet  # noqa: PLC0415 -- optional dependency

    return Fernet(key.strip())
