"""Where MLflow's artifacts lie. What is imported may come from anybody, and name any path."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from runyard.importing.mlflow_store import StoredRun

OWN = "artifacts"
PROXIED = "mlflow-artifacts"  # by MLflow's server, which keeps them in a directory beside it
HOMES = ("", "mlruns", "mlartifacts")


def find_home(run: StoredRun, root: Path) -> tuple[Path | None, str, bool]:
    """The directory; else why there is none, and whether that is a loss. Only below `root`."""
    own = run.home / OWN if run.home else None
    scheme, path = _split(run.artifact_uri)
    if scheme not in {"", "file", PROXIED}:
        reason = f"its artifacts are at {scheme}:"
        return _first([own], root), reason if not _first([own], root) else "", False
    named = Path(path)
    end = named.parts[-3:]  # <experiment>/<run>/artifacts, wherever it was moved to
    moved = [root.joinpath(home, *end) for home in HOMES] if len(end) == 3 else []
    home = _first([named if scheme != PROXIED else None, own, *moved], root)
    if home is None and scheme != PROXIED and named.is_absolute() and _is_dir(named):
        return None, f"its artifacts lie outside of {root.name}; import what holds both", True
    return home, "", False


def _split(uri: str) -> tuple[str, str]:
    if "\0" in uri:
        return "", ""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "", ""
    return parts.scheme, unquote(parts.path) if parts.scheme else uri


def _first(candidates: list[Path | None], root: Path) -> Path | None:
    whole = root.resolve()
    for path in candidates:
        if path and path.is_absolute() and _is_dir(path) and path.resolve().is_relative_to(whole):
            return path.resolve()
    return None


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
