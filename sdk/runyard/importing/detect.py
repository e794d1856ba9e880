"""Which format a path holds."""

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from runyard.importing.foreign import show
from runyard.importing.source import Options, Problem, Source

# The first that recognises a path has it. Each module offers `recognise(path)` and
# `open_source(path, options)`, those of `ALSO` `candidates(path)` too; it is imported when it is asked.
FORMATS = {
    "ml_dash": "runyard.importing.dash",
    "aspara": "runyard.importing.aspara",
    "mlflow": "runyard.importing.mlflow",  # may keep files of TensorBoard and tables as artifacts
    "tensorboard": "runyard.importing.tensorboard",
    "table": "runyard.importing.tables",
}
ALSO = {
    "mlflow": ("store of MLflow", "stores of MLflow"),
    "tensorboard": ("event file of TensorBoard", "event files of TensorBoard"),
    "table": ("table", "tables"),
}  # one of them, and several
OWNED = {"mlruns", "mlartifacts", "artifacts", "files"}  # directories with what runs have kept
ABOUT = ("meta.yaml", "experiment.json")  # the directory around them is a run's, or holds its runs
ARCHIVE = "_archive"  # of Aspara's rows


def open_source(path: Path, options: Options, format_name: str = "") -> Source:
    """Raises: ValueError when there is nothing there that could be imported."""
    if not path.exists():
        raise ValueError(f"{path} does not exist.")
    whole = path.resolve()
    try:
        if whole.is_dir():
            os.scandir(whole).close()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    for name in [format_name] if format_name else FORMATS:
        module: Any = import_module(FORMATS[name])
        if module.recognise(whole):
            source: Source = module.open_source(whole, options)
            if not format_name:
                source.problems += _others(whole, name)
            return source
    wanted = format_name or " or ".join(FORMATS)
    raise ValueError(f"{path} holds nothing to import ({wanted}).")


def _others(path: Path, taken: str) -> Iterator[Problem]:
    """What is beside the format that was taken, and how to bring that, too."""
    names = list(FORMATS)
    for name in names[names.index(taken) + 1 :] if path.is_dir() else ():
        if name not in ALSO:
            continue
        module: Any = import_module(FORMATS[name])
        count = sum(not _is_owned(found, path) for found in module.candidates(path))
        if count:
            reason = f"also holds {count:,} {ALSO[name][count > 1]}: --format {name}"
            yield Problem(show(path), reason, is_loss=False)


def _is_owned(found: Path, root: Path) -> bool:
    """Whether it belongs to a run, as artifacts do. What people named, they mean."""
    below = found.relative_to(root)
    if any(part in OWNED or part.endswith(ARCHIVE) for part in below.parts[:-1]):
        return True
    return any((root / home / name).exists() for home in below.parents for name in ABOUT)
