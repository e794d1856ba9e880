"""Changes of files on a server that does not answer: a training does not stop for them."""

import contextlib
from collections.abc import Callable
from typing import Any

from runyard.notices import Once, warn

from ml_dash.exceptions import AuthenticationError, NetworkError

Change = Callable[[], dict[str, Any]]


class Changes:
    """Those that were not made wait here, in order, until the server answers or the experiment ends."""

    def __init__(self) -> None:
        self._waiting: list[Change] = []
        self._notices = Once()

    def make(self, change: Change, otherwise: dict[str, Any]) -> dict[str, Any]:
        """What the server says to it; `otherwise` if it is made later. Raises: FileNotFoundError."""
        try:
            self.catch_up()
            return change()
        except (NetworkError, AuthenticationError) as error:
            self._waiting.append(change)
            why = str(error).rstrip(".")
            self._notices.warn("later", f"{why}; changes of files are made later.")
            return otherwise

    def catch_up(self) -> None:
        """Raises: NetworkError, AuthenticationError."""
        while self._waiting:
            with contextlib.suppress(FileNotFoundError, ValueError):  # gone, or refused for good
                self._waiting[0]()
            del self._waiting[0]
        self._notices.is_over()

    def end(self) -> None:
        """The last attempt; what is left then is told."""
        try:
            self.catch_up()
        except (NetworkError, AuthenticationError) as error:
            warn(f"{len(self._waiting)} changes of files were not made: {error}")
            self._waiting.clear()
