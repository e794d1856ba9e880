"""What the SDK has to say to people."""

import contextlib
import sys


def say(text: str) -> None:
    """On stdout, where there is one: a job must not end because nobody reads it any more."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.write(f"{text}\n")


def warn(text: str) -> None:
    """Through the logger `runyard`: on stderr, unless the job has set up something else."""
    try:
        import logging  # noqa: PLC0415 -- slow import; most jobs never hear a warning
    except (ImportError, OSError):  # the job has no descriptors left to read it with
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f"runyard: {text}\n")
    else:
        logging.getLogger("runyard").warning("runyard: %s", text)


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
