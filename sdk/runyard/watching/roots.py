"""A directory that somebody wants to be watched, whatever it turns out to hold."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from runyard.importing.source import Options
from runyard.watching.changes import Change, Tree
from runyard.watching.memory import Memory

# The first that recognises a directory has it: by its importer, and by what watches it.
KINDS = {
    "ML-Dash": ("runyard.importing.dash", "runyard.watching.dash_tree", "DashTree"),
    "Aspara": ("runyard.importing.aspara", "runyard.watching.aspara_tree", "AsparaTree"),
}


class Root:
    """It may be empty at first, or not there."""

    def __init__(self, path: Path, memory: Memory, options: Options) -> None:
        self.path = path
        self.memory = memory
        self.tree: Tree | None = None
        self.kind = ""
        self._options = options

    def poll(self) -> Iterator[Change]:
        """Raises: OSError."""
        if self.tree is None:
            self.tree = self._recognise()
        if self.tree:
            yield from self.tree.poll()

    def why_nothing(self) -> str:
        """For people: why there is no run; "" once it is known what to watch."""
        if self.tree:
            return ""
        if self.path.is_dir():
            reason = f"there is no run of {' or '.join(KINDS)} in it yet"
        elif self.path.exists():
            reason = "it is no directory; for single files there is runyard import"
        else:
            reason = "it is not there yet"
        return f"{self.path}: {reason}."

    def _recognise(self) -> Tree | None:
        if not self.path.is_dir():
            return None
        for kind, (importer, module, name) in KINDS.items():
            if import_module(importer).recognise(self.path):
                self.kind = kind
                tree: Any = getattr(import_module(module), name)
                made: Tree = tree(self.path, self._options)
                return made
        return None
