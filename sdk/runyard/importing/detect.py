"""Which format a path holds."""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from runyard.importing.source import Options, Source

# The first that recognises a path has it. Each module offers `recognise(path)` and
# `open_source(path, options)`, and is imported when it is asked.
FORMATS = {
    "ml_dash": "runyard.importing.dash",
    "aspara": "runyard.importing.aspara",
    "mlflow": "runyard.importing.mlflow",  # may keep files of TensorBoard and tables as artifacts
    "tensorboard": "runyard.importing.tensorboard",
    "table": "runyard.importing.tables",
}


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
            return source
    wanted = format_name or " or ".join(FORMATS)
    raise ValueError(f"{path} holds nothing to import ({wanted}).")
