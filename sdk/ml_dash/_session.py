"""Whether an experiment is open, and where it is kept."""

import contextlib
from pathlib import Path
from shlex import quote

from runyard import config, lifecycle
from runyard.dash.store import DashStore
from runyard.notices import say

from ml_dash._hybrid import HybridStore
from ml_dash._prefix import Prefix
from ml_dash._remote import RemoteStore
from ml_dash._store import About, Store
from ml_dash.exceptions import ConfigurationError, ExperimentError


class Session:
    """What an experiment, its run and its builders share."""

    def __init__(self, prefix: Prefix, root: Path | None, url: str | None) -> None:
        """Raises: ConfigurationError."""
        self.prefix = prefix
        self.is_open = False
        self.local = None if root is None else DashStore(root)
        self.remote = None if url is None else RemoteStore(url)
        self._store = _join(self.local, self.remote)
        self._guard: Guard | None = None

    @property
    def store(self) -> Store:
        """Raises: ExperimentError while the experiment is not open."""
        self.check_open()
        return self._store

    def check_open(self) -> None:
        """Raises: ExperimentError."""
        if not self.is_open:
            raise ExperimentError(
                "Experiment not started. Use `with experiment.run as exp:`, or call "
                "experiment.run.start() first."
            )

    def rename(self, prefix: Prefix) -> None:
        if self.is_open:
            raise ExperimentError("The prefix cannot change while the experiment is open.")
        self.prefix = prefix

    def open(self, about: About) -> None:
        self._store.start(about)
        self.is_open = True
        if self.local:
            self._guard = Guard(self.local)
            lifecycle.track(self._guard)

    def close(self, status: str, reason: str = "") -> None:
        if not self.is_open:
            return
        self.is_open = False
        if self._guard:
            lifecycle.untrack(self._guard)
        self._store.finish(status, reason)
        if self.local and not self.remote and config.logs_here():
            self._say(status.lower(), self.local)

    def _say(self, ending: str, local: DashStore) -> None:
        """Where it is, and how to bring it to a server."""
        bring = f"runyard import {quote(_in_short(local.root))}"
        say(f"ml_dash: {self.prefix.text} {ending}: {_in_short(local.home)} ({bring})")


def _in_short(path: Path) -> str:
    """From where the job is now, if it lies below."""
    with contextlib.suppress(OSError, ValueError):  # gone; elsewhere
        return str(path.relative_to(Path.cwd()))
    return str(path)


def _join(local: DashStore | None, remote: RemoteStore | None) -> Store:
    if local and remote:
        return HybridStore(local, remote)
    store = local or remote
    if store is None:
        raise ConfigurationError(
            "Nowhere to log to: pass dash_root='.dash', or dash_url='http://host:port'."
        )
    return store


class Guard:
    """Ends a local experiment that is open when its process ends; see `runyard.lifecycle`."""

    exit_deadline_s = 0.0  # nobody waits for the disk

    def __init__(self, store: DashStore) -> None:
        self._store: DashStore | None = store

    def end(
        self,
        status: lifecycle.Status,
        *,
        exit_code: int | None = None,  # noqa: ARG002 -- the layout has no place for it
        reason: str = "",
    ) -> None:
        store, self._store = self._store, None
        if store:
            store.finish(status.upper(), reason)

    def drain(self, timeout_s: float) -> int:  # noqa: ARG002 -- nothing is on its way
        lifecycle.untrack(self)
        return 0

    def forget_parent(self) -> None:
        """A forked child logs on; how it ended is for the parent to say."""
        self._store = None
