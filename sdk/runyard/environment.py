"""What a training runs on and from: enough to find the machine and the code again.

Nothing that may hold a secret: no arguments, and of the variables only those named here.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runyard import __version__
from runyard.git import describe_checkout
from runyard.values import as_text

VARIABLES = ("CUDA_VISIBLE_DEVICES", "RANK", "WORLD_SIZE")
PACKAGES = ("torch", "numpy", "tensorflow", "jax")
MAX_TEXT_LENGTH = 500  # a long path; the whole stays far below the server's 64 KiB


def describe() -> dict[str, Any]:
    """The `environment` of a start, in a few milliseconds. Never raises: what cannot be known is left out."""
    facts = {name: _ask(fact) for name, fact in FACTS.items()}
    return {name: fact for name, fact in facts.items() if fact}


def _ask(fact: Callable[[], Any]) -> Any:
    try:
        return _fit(fact())
    except Exception:  # noqa: BLE001 -- however odd the machine is, the training goes on
        return None


def _fit(fact: Any) -> Any:
    if isinstance(fact, dict):
        return {name: _fit(item) for name, item in fact.items()}
    return as_text(fact, "environment")[:MAX_TEXT_LENGTH] if isinstance(fact, str) else fact


def _platform() -> str:
    system = os.uname()
    return f"{system.sysname} {system.release} {system.machine}"


def _script() -> str:
    """As it was started; nothing for `python -c` and a prompt."""
    script = sys.argv[0]
    return "" if script == "-c" else script


def _git() -> dict[str, str]:
    """Of the repository with the script in it, else of the one that was worked in."""
    script = Path(_script())
    places = (script.parent, Path()) if script.is_file() else (Path(),)
    return next(filter(None, map(describe_checkout, places)), {})


def _cpu_count() -> int | None:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _variables() -> dict[str, str]:
    return {name: os.environ[name] for name in VARIABLES if name in os.environ}


def _packages() -> dict[str, str]:
    """Versions of what is imported already; a module that only waits to be loaded is left in peace."""
    loaded = {name: sys.modules[name] for name in PACKAGES if sys.modules.get(name)}
    names = {name: object.__getattribute__(module, "__dict__") for name, module in loaded.items()}
    versions = {name: space.get("__version__") for name, space in names.items()}
    return {name: version for name, version in versions.items() if isinstance(version, str)}


FACTS: dict[str, Callable[[], Any]] = {
    "hostname": lambda: os.uname().nodename,
    "platform": _platform,
    "cpu_count": _cpu_count,
    "script": _script,
    "git": _git,
    "python": lambda: sys.version.split()[0],
    "runyard": lambda: __version__,
    "packages": _packages,
    "variables": _variables,
}
