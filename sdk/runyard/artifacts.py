"""Files that go with a run: checked and copied at once, uploaded when their turn comes."""

import hashlib
import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from runyard.artifact_names import derive_name
from runyard.values import MAX_NAME_LENGTH, as_json_map, as_text

CATEGORIES = ("code", "model", "config", "data", "other")
CHUNK_BYTES = 1024**2
NAME = re.compile(r"(?!\.\.)[A-Za-z0-9_.-]+")


class Artifact(NamedTuple):
    """`node`: of one that lies in folders, `{uid, path, tags, bindrs}`; its name may be any."""

    path: Path
    name: str
    description: str
    category: str
    metadata: Mapping[str, Any] = {}
    node: Mapping[str, Any] = {}

    def copy_to(self, folder: Path) -> dict[str, Any]:
        """Copy the file, which may change later. Returns the payload of its record. Raises: OSError."""
        import shutil  # noqa: PLC0415 -- slow import

        folder.mkdir(exist_ok=True)
        copy = folder / uuid4().hex
        try:
            shutil.copyfile(self.path, copy)
        except OSError:
            copy.unlink(missing_ok=True)
            raise
        said = {key: value for key, value in self._asdict().items() if value}
        del said["path"]
        if node := said.pop("node", None):
            said |= {**node, "checksum": digest(copy), "size": copy.stat().st_size}
        return {**said, "file": copy.name}


def digest(path: Path) -> str:
    """The SHA-256 of a file. Raises: OSError."""
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            sha256.update(chunk)
    return sha256.hexdigest()


def check_artifact(
    file_path: str | PathLike[str],
    name: str | None = None,
    description: str | None = None,
    category: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Artifact:
    """Raises: ValueError, TypeError, and OSError for a file that cannot be read."""
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
    description = as_text(description or "", "description")
    with path.open("rb"):  # whoever may not read it should hear of it now
        return Artifact(
            path, name, description, category or "", as_json_map(metadata or {}, "metadata")
        )
