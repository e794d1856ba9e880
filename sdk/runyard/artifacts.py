"""Files that go with a run: checked and copied at once, uploaded when their turn comes."""

import re
from os import PathLike
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from runyard.artifact_names import derive_name
from runyard.values import MAX_NAME_LENGTH, as_text

CATEGORIES = ("code", "model", "config", "data", "other")
NAME = re.compile(r"(?!\.\.)[A-Za-z0-9_.-]+")


class Artifact(NamedTuple):
    path: Path
    name: str
    description: str
    category: str

    def copy_to(self, folder: Path) -> dict[str, str]:
        """Copy the file, which may change later. Returns the payload of its record. Raises: OSError."""
        import shutil  # noqa: PLC0415 -- slow import

        folder.mkdir(exist_ok=True)
        copy = folder / uuid4().hex
        try:
            shutil.copyfile(self.path, copy)
        except OSError:
            copy.unlink(missing_ok=True)
            raise
        fields = {"name": self.name, "description": self.description, "category": self.category}
        return {**{key: text for key, text in fields.items() if text}, "file": copy.name}


def check_artifact(
    file_path: str | PathLike[str], name: str | None, description: str | None, category: str | None
) -> Artifact:
    """Raises: ValueError, and OSError for a file that cannot be read."""
    if not str(file_path):
        raise ValueError("File path cannot be empty")
    path = Path(file_path)
    if not path.exists():
        raise ValueError(f"File does not exist: {file_path}")
    if not path.is_file():
        raise ValueError(f"Path is not a file: {file_path}")
    if category is not None and category not in CATEGORIES:
        raise ValueError(f"Invalid category: {category}. Must be one of: {', '.join(CATEGORIES)}")
    name = derive_name(path.name) if name is None else name
    if not NAME.fullmatch(name) or name == "." or len(name) > MAX_NAME_LENGTH:
        raise ValueError(
            f"Invalid artifact name: {name[:80]!r}. Only letters, digits, '_', '.' and '-' are "
            f"allowed, not '..' in front, at most {MAX_NAME_LENGTH} characters."
        )
    with path.open("rb"):  # whoever may not read it should hear of it now
        return Artifact(path, name, as_text(description or "", "description"), category or "")
