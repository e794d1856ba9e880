"""What the disk did not take: said at once, counted, and said again at the end."""

from collections import Counter
from pathlib import Path

from runyard.notices import warn


class Losses:
    def __init__(self, home: Path) -> None:
        self.is_disk_bad = False
        self._home = home
        self._counts: Counter[str] = Counter()

    def say(self, error: OSError) -> None:
        """Once, until the disk is well again."""
        if not self.is_disk_bad:
            self.is_disk_bad = True
            warn(f"Cannot write to {self._home}: {error}. What is logged now is LOST.")

    def count(self, what: str, number: int = 1) -> None:
        self._counts[what] += number

    def disk_is_well(self) -> None:
        self.is_disk_bad = False
        warn(f"{self._home} can be written to again. Lost so far: {self}.")

    def report(self) -> None:
        """Nothing is said where nothing was lost."""
        if +self._counts:
            warn(f"Not all of {self._home} could be written. Lost for good: {self}.")
        self._counts.clear()

    def __str__(self) -> str:
        lost = sorted((+self._counts).items())
        return ", ".join(f"{what}: {count}" for what, count in lost) or "nothing"
