"""What the SDK has to say to people, through the logger `runyard`: to stderr unless configured."""

import logging

_logger = logging.getLogger("runyard")


def warn(text: str) -> None:
    _logger.warning("runyard: %s", text)


class Once:
    """Warns about each kind of trouble once, until it is over."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def warn(self, kind: str, text: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            warn(text)

    def is_over(self) -> None:
        self._said.clear()
