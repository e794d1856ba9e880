"""Looking at the database for what another server process has committed: once a second, one query.

Hints are faster where there is Redis, but they may be lost: with Redis, with the process that was
about to send them, with a connection. This look makes that a second's delay, and nothing else.
"""

import logging
import threading
from collections.abc import Callable, Iterable

from django.db import Error, connection

from tracking.domain.portions import in_portions
from tracking.models import Run

LOOK_EVERY_S = 1.0
RUNS_AT_ONCE = 10_000  # in one query

log = logging.getLogger(__name__)


class Lookout:
    """A thread that tells of each change to the runs of `watched()`, until `is_over()`."""

    def __init__(
        self,
        *,
        watched: Callable[[], list[int]],
        changed: Callable[[int, int | None], None],
        is_over: Callable[[], bool],
    ) -> None:
        self._watched, self._changed, self._is_over = watched, changed, is_over
        self._known: dict[int, int | None] = {}
        self._is_blind = False

    def start(self) -> None:
        threading.Thread(target=self._run, name="lookout", daemon=True).start()

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(LOOK_EVERY_S) and not self._is_over():
            try:
                self.look()
            except Error as error:
                if not self._is_blind:
                    log.warning("No news from the database for now: %r", error)
                self._is_blind = True
            else:
                self._is_blind = False
            finally:
                connection.close()  # back into the pool, or away if it is broken

    def look(self) -> None:
        """A run whose revision has changed since the last look is told of; gone runs with None."""
        watched = self._watched()
        found = read_revisions(watched)
        known, self._known = self._known, {run_id: found.get(run_id) for run_id in watched}
        for run_id, revision in self._known.items():
            if run_id not in known or known[run_id] != revision:
                self._changed(run_id, revision)


def read_revisions(run_ids: Iterable[int]) -> dict[int, int]:
    """By run; those that were deleted are left out."""
    revisions: dict[int, int] = {}
    for portion in in_portions(run_ids, RUNS_AT_ONCE, lambda _: 1):
        revisions.update(Run.objects.filter(pk__in=portion).values_list("pk", "revision"))
    return revisions
