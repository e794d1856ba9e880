"""Where things lie below the data directory.

    {project}/metadata.json                     notes and tags of the project
    {project}/{run}.jsonl                       rows; of a run with archives there is but the empty file
    {project}/{run}.meta.json                   all that is not a row
    {project}/{run}/artifacts/{name}
    {project}/{run}.wal.jsonl                   rows that are not in an archive yet
    {project}/{run}_archive/date=2026-01-31/00000000.parquet

Ours beside them: `.lock` of the project, held while documents change; `{run}.lock`, held by all
processes that log to the run; `.{run}.archiving`, there while rows move into the archive.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from runyard.config import own_dir
from runyard.files.probing import is_folder

Backend = Literal["jsonl", "polars"]

NAME = re.compile(r"[A-Za-z0-9_-]+")
DATE_FOLDER = re.compile(r"date=(\d{4}-\d\d-\d\d)")
SUFFIXES = (".wal.jsonl", ".meta.json", ".jsonl")  # of a run's files; the longer ones first
ARCHIVE = "_archive"


class RunPaths(NamedTuple):
    """The files of one run, whether they are there or not."""

    root: Path
    project: str
    name: str

    @property
    def folder(self) -> Path:
        return self.root / self.project

    @property
    def rows(self) -> Path:
        return self.folder / f"{self.name}.jsonl"

    @property
    def meta(self) -> Path:
        return self.folder / f"{self.name}.meta.json"

    @property
    def wal(self) -> Path:
        return self.folder / f"{self.name}.wal.jsonl"

    @property
    def archive(self) -> Path:
        return self.folder / f"{self.name}{ARCHIVE}"

    @property
    def foreign_marker(self) -> Path:
        """Left by the original where it was killed while rows moved into the archive."""
        return self.folder / f"{self.name}.archive.marker"

    @property
    def marker(self) -> Path:
        return self.folder / f".{self.name}.archiving"

    @property
    def files(self) -> Path:
        return self.folder / self.name

    @property
    def artifacts(self) -> Path:
        return self.files / "artifacts"

    @property
    def life(self) -> Path:
        return self.folder / f"{self.name}.lock"

    @property
    def project_lock(self) -> Path:
        return self.folder / ".lock"

    def exists(self) -> bool:
        return any(path.exists() for path in (self.rows, self.meta, self.wal))

    def has_archive(self) -> bool:
        """A run of the name `x_archive` has a directory of that name too, but no dates in it."""
        return next(archived_files(self.archive), None) is not None

    def backend(self) -> Backend:
        return "polars" if self.wal.exists() or self.has_archive() else "jsonl"


def data_dir(explicit: str | os.PathLike[str] | None = None) -> Path:
    """The argument, $ASPARA_DATA_DIR, else the XDG data directory. Raises: ValueError."""
    return own_dir(explicit or os.environ.get("ASPARA_DATA_DIR"), "aspara")


def find_projects(root: Path) -> Iterator[str]:
    """In order of their names. Raises: OSError where one may not look."""
    with os.scandir(root) as entries:
        names = [entry.name for entry in entries if NAME.fullmatch(entry.name) and is_folder(entry)]
    yield from sorted(names)


def find_runs(root: Path, project: str) -> Iterator[RunPaths]:
    """The runs of a project in order of their names. Raises: OSError where one may not look."""
    with os.scandir(root / project) as entries:
        found = {run_of_file(entry.name) for entry in entries}
    for name in sorted(found - {""}):
        yield RunPaths(root, project, name)


def run_of_file(file_name: str) -> str:
    """Whose file this is; nothing for what belongs to no run."""
    for suffix in SUFFIXES:
        if file_name.endswith(suffix):
            name = file_name.removesuffix(suffix)
            return name if NAME.fullmatch(name) else ""
    return ""


def archived_files(archive: Path) -> Iterator[Path]:
    """In the order in which rows went into them."""
    try:
        folders = sorted(path for path in archive.iterdir() if DATE_FOLDER.fullmatch(path.name))
    except OSError:
        return
    for folder in folders:
        yield from sorted(folder.glob("[!.]*.parquet"))
