"""`experiment.files`: what goes with an experiment as files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from os import PathLike, fspath
from pathlib import Path, PurePosixPath
from typing import Any

from runyard.dash.files import describe_file
from runyard.dash.names import file_path
from runyard.dash.records import FileEntry, make_file_id
from runyard.errors import DamagedFile
from runyard.notices import warn
from runyard.values import as_json_map, as_notes, as_tags, as_text

from ml_dash import _content
from ml_dash._session import Session
from ml_dash._store import Store
from ml_dash.exceptions import StorageError

Content = Callable[[Path], None]  # writes itself to a path
Entries = list[dict[str, Any]]
Paths = list[str]
WORDS = ("description", "tags", "bindrs", "metadata")


class FileBuilder:
    """A place for files, with words for what is saved there; or a file that is known by its id."""

    def __init__(  # noqa: PLR0913 -- the published signature
        self,
        session: Session,
        path: str | None = None,
        *,
        prefix: str | None = None,
        description: str | None = None,
        tags: Iterable[str] | None = None,
        bindrs: Iterable[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        file_id: str | None = None,
        dest_path: str | PathLike[str] | None = None,
        file_path: str | PathLike[str] | None = None,
    ) -> None:
        self._session = session
        self._path = as_text(path or prefix or "", "path").strip("/")
        self._words = _clean_words(
            {"description": description, "tags": tags, "bindrs": bindrs, "metadata": metadata}
        )
        self._file_id = file_id
        self._dest_path = dest_path
        self._file_path = file_path

    # ── Saving ───────────────────────────────────────────────────────────────

    def upload(
        self, fpath: str | PathLike[str] | None = None, *, to: str | None = None, **words: Any
    ) -> dict[str, Any]:
        """Save a file from disk; `to` is what it is called here. Returns what there is to know of it.

        Raises: ValueError if there is no such file.
        """
        given = fpath or self._file_path
        if given is None:
            raise ValueError("Which file? Pass its path.")
        source = Path(given)
        if not source.is_file():
            what = "Not a file" if source.exists() else "File not found"
            raise ValueError(f"{what}: {fspath(given)}")
        return self._save_file(source, to or source.name, words)

    def save(
        self, local_path: Any = None, *, content: Any = None, to: str | None = None, **words: Any
    ) -> dict[str, Any]:
        """Save a file from disk. Bytes, maps, lists and arrays are saved too, under the name `to`.

        `words`: description, tags, metadata, bindrs. The copy is made at once; to a server it goes
        when its turn comes. Raises: ValueError, TypeError, ExperimentError.
        Source: API Reference, "save(local_path, **kwargs)".
        """
        content = local_path if content is None else content
        if content is None or isinstance(content, (str, PathLike)):
            return self.upload(content, to=to, **words)
        if to is None:
            raise ValueError(f"A {type(content).__name__} has no name: pass to='name'.")
        return self._save(_content.of_anything(content, to), to, words)

    def save_text(self, content: str, to: str, **words: Any) -> dict[str, Any]:
        return self._save(_content.of_text(content), to, words)

    def save_json(self, content: Any, to: str, **words: Any) -> dict[str, Any]:
        """Raises: TypeError, ValueError for what JSON cannot hold."""
        return self._save(_content.of_json(content), to, words)

    def save_blob(self, content: bytes, to: str, **words: Any) -> dict[str, Any]:
        return self._save(_content.of_bytes(content), to, words)

    def save_torch(self, model: Any, to: str, **words: Any) -> dict[str, Any]:
        """As torch.save does. Raises: ImportError."""
        return self._save(_content.of_torch(model), to, words)

    def save_pkl(self, content: Any, to: str, **words: Any) -> dict[str, Any]:
        return self._save(_content.of_pickle(content), to, words)

    def save_fig(self, fig: Any = None, *, to: str, **options: Any) -> dict[str, Any]:
        """`options` go to `fig.savefig`. Without a figure it is the current one; it is closed then.

        Raises: ImportError.
        """
        return self._save(_content.of_figure(fig, options), to, {})

    def save_image(self, array: Any, *, to: str, quality: int = 95, **words: Any) -> dict[str, Any]:
        """An array of numbers as a picture: bytes, or floats from 0 to 1. Raises: ImportError."""
        return self._save(_content.of_image(array, to, quality), to, words)

    def save_video(self, frames: Any, to: str, fps: int = 20, **options: Any) -> dict[str, Any]:
        """Grey or RGB frames as .mp4 or .gif. `options` (codec, quality) go to the encoder.

        Raises: ValueError without frames, ImportError.
        """
        return self._save(_content.of_video(frames, to, fps, options), to, {})

    def duplicate(self, source: str | Mapping[str, Any], to: str) -> dict[str, Any]:
        """Save a file that is here already, by its id or its dict, under another name."""
        file_id = source["id"] if isinstance(source, Mapping) else source
        with _workspace() as folder:
            path = _fetch(self._store, str(file_id), folder / "copy")
            return self._save_file(path, to, {})

    def _save(self, content: Content, to: str, words: Mapping[str, Any]) -> dict[str, Any]:
        self._check_place(to)  # before a large model is written; so are the words
        words = _clean_words(words)
        with _workspace() as folder:
            path = folder / PurePosixPath(to).name
            content(path)
            return self._save_file(path, to, words)

    def _save_file(self, source: Path, to: str, words: Mapping[str, Any]) -> dict[str, Any]:
        folder, filename = self._check_place(to)
        entry = FileEntry(make_file_id(), folder, filename, **self._words)
        entry = entry._replace(**_clean_words(words))
        try:
            return self._store.save_file(source, entry)
        except OSError as error:  # as with rows, a full disk does not stop the training
            warn(f"{filename} is not saved: {error}")
            return describe_file(entry, None)

    def _check_place(self, to: str) -> tuple[str, str]:
        """The folder and the name. Raises: ValueError, ExperimentError."""
        self._session.check_open()
        parts = [part for part in f"{self._path}/{as_text(to, 'to')}".split("/") if part]
        if not to.strip("/"):
            raise ValueError("to is empty: what is the file called?")
        folder = "/" + "/".join(parts[:-1])
        file_path(folder, "0", parts[-1])
        return folder, parts[-1]

    # ── Finding ──────────────────────────────────────────────────────────────

    def list(self, pattern: str | None = None) -> Entries:
        """Files below this path, with one of these tags. `pattern`: of the name or the whole path."""
        return [entry for entry in self._store.list_files() if self._is_meant(entry, pattern)]

    def exists(self) -> bool:
        """Whether there is such a file, by id or by path."""
        return bool(self._matches())

    def read_text(self, encoding: str = "utf-8") -> str:
        """Raises: FileNotFoundError."""
        with _workspace() as folder:
            return _fetch(self._store, self._need()[-1]["id"], folder / "text").read_text(encoding)

    def download(
        self,
        dest_path: str | PathLike[str] | None = None,
        *,
        to: str | PathLike[str] | None = None,
    ) -> str | Paths:
        """Where the file is now: by default here, under its own name. Its checksum is compared.

        Without a `file_id` the first argument is a path or a pattern of files here; a pattern, with * or
        ?, gives a list. Raises: ValueError, FileNotFoundError, StorageError, NetworkError.
        Source: API Reference, "download(dest_path=None)".
        """
        if self._file_id is not None:
            target = dest_path or to or self._dest_path
            return str(_fetch(self._store, self._file_id, None if target is None else Path(target)))
        pattern = None if dest_path is None else fspath(dest_path)
        target = to or self._dest_path
        return self._download_found(pattern, None if target is None else Path(target))

    def _download_found(self, pattern: str | None, target: Path | None) -> str | Paths:
        found = self._need(pattern)
        if not _is_pattern(pattern):
            return str(_fetch(self._store, found[-1]["id"], target))
        if target:
            target.mkdir(parents=True, exist_ok=True)
        return [str(_fetch(self._store, entry["id"], target)) for entry in found]

    # ── Changing ─────────────────────────────────────────────────────────────

    def update(self) -> dict[str, Any]:
        """Change the words of the file with this id; those not given stay.

        Raises: ValueError without an id, FileNotFoundError.
        """
        return self._store.update_file(self._need_id("update"), self._words)

    def delete(self, pattern: str | None = None) -> dict[str, Any] | Entries:
        """Take the file away; its bytes stay for those who look after them.

        Raises: ValueError, FileNotFoundError, also for one that is gone already.
        """
        if pattern is None and self._file_id is not None:
            return self._store.delete_file(self._file_id)
        gone = [self._store.delete_file(entry["id"]) for entry in self._need(pattern)]
        return gone if _is_pattern(pattern) else gone[-1]

    def _need_id(self, what: str) -> str:
        if self._file_id is None:
            raise ValueError(f"{what}() needs an id: files(file_id=…).{what}().")
        return self._file_id

    def _need(self, pattern: str | None = None) -> Entries:
        """Those that are meant. Raises: ValueError, FileNotFoundError unless it is a pattern."""
        if self._file_id is None and not pattern and not self._path:
            raise ValueError("Which file? Pass file_id=…, or a path or pattern.")
        found = self._matches(pattern)
        if not found and not _is_pattern(pattern):
            raise FileNotFoundError(f"There is no file {self._file_id or pattern or self._path!r}.")
        return found

    def _matches(self, pattern: str | None = None) -> Entries:
        """By id, by pattern, or by the very path: a name alone may stand in many folders."""
        if self._file_id is not None:
            return [one for one in self._store.list_files() if one["id"] == self._file_id]
        if pattern and _is_pattern(pattern):
            return self.list(pattern)
        path = "/".join(filter(None, (self._path, (pattern or "").strip("/"))))
        return [one for one in self._store.list_files() if _whole_path(one) == path]

    def _is_meant(self, entry: Mapping[str, Any], pattern: str | None) -> bool:
        folder = f"{entry['path'].strip('/')}/"
        wanted = self._words.get("tags")
        return (
            (not self._path or folder.startswith(f"{self._path}/"))
            and (not wanted or not set(wanted).isdisjoint(entry["tags"] or ()))
            and (pattern is None or self._fits(entry, pattern.strip("/")))
        )

    def _fits(self, entry: Mapping[str, Any], pattern: str) -> bool:
        whole = _whole_path(entry)
        below = PurePosixPath(self._path, pattern)
        names = (entry["filename"], pattern), (whole, pattern), (whole, str(below))
        return any(fnmatchcase(name, wanted) for name, wanted in names)

    @property
    def _store(self) -> Store:
        return self._session.store


class FilesManager(FileBuilder):
    """All files; called, it gives a builder for some of them, or for one."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)

    def __call__(self, path: str | None = None, **options: Any) -> FileBuilder:
        """`options`: prefix, description, tags, bindrs, metadata, file_id, dest_path, file_path.

        Source: API Reference, "exp.files(**kwargs)".
        """
        return FileBuilder(self._session, path, **options)


def _is_pattern(text: str | None) -> bool:
    return text is not None and ("*" in text or "?" in text)


def _whole_path(entry: Mapping[str, Any]) -> str:
    return "/".join(filter(None, (entry["path"].strip("/"), entry["filename"])))


def _fetch(store: Store, file_id: str, target: Path | None) -> Path:
    if target:
        target.parent.mkdir(parents=True, exist_ok=True)
    try:
        return store.fetch_file(file_id, target)
    except DamagedFile as error:
        raise StorageError(f"{error} Nothing was kept of it.") from None


def _clean_words(words: Mapping[str, Any]) -> dict[str, Any]:
    """Those that were given. Raises: TypeError, ValueError."""
    if unknown := words.keys() - set(WORDS):
        raise TypeError(f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join(WORDS)}.")
    given = {key: value for key, value in words.items() if value is not None}
    return {key: CLEAN[key](value, key) for key, value in given.items()}


CLEAN: dict[str, Callable[[Any, str], Any]] = {
    "description": as_notes,
    "tags": as_tags,
    "bindrs": as_tags,
    "metadata": as_json_map,
}


@contextmanager
def _workspace() -> Iterator[Path]:
    import shutil  # noqa: PLC0415 -- slow import
    import tempfile  # noqa: PLC0415 -- as above

    folder = Path(tempfile.mkdtemp(prefix="ml-dash-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
