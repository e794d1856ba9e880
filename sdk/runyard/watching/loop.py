"""Looks at directories several times a second, and brings what is new.

What is being written now goes first: however much there is to catch up with, it is done in slices.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from runyard.importing.delivery import Courier, ImportStopped
from runyard.transport import HttpTransport
from runyard.watching.console import Console
from runyard.watching.edits import Edits, read_projects
from runyard.watching.mirror import Mirror
from runyard.watching.project_words import ProjectWords
from runyard.watching.roots import Root

POLL_S = 0.3
SLICE_S = 0.25  # of catching up, before the directories are looked at again
SAVE_S = 5.0
LOOK_S = 5.0  # between looks whether silent runs are alive
AWAY_S = 1.0  # between questions whether the server is back
OLD_S = 60.0  # what was not touched for so long can wait for what is


class Watcher:
    """For one thread. `end` may be called from any."""

    def __init__(
        self, roots: list[Root], couriers: list[Courier], transport: HttpTransport, console: Console
    ) -> None:
        self._roots = roots
        self._couriers = couriers
        self._transport = transport
        self._console = console
        self._edits = Edits(transport, min(root.memory.cursor for root in roots))
        self._mirrors: dict[str, Mirror] = {}
        self._due: dict[str, None] = {}  # places, in the order in which they became due
        self._words = ProjectWords(transport, self._edits, console.say)
        self._is_ended = threading.Event()
        self._is_checked = False
        self._saved_at = self._looked_at = time.monotonic()

    def run(self) -> None:
        """Until `end` is called."""
        try:
            while not self._is_ended.is_set():
                began = time.monotonic()
                is_behind = self.step()
                spent = time.monotonic() - began
                self._is_ended.wait(0.0 if is_behind else max(0.05, POLL_S - spent))
        finally:
            self._save()

    def end(self) -> None:
        self._is_ended.set()
        for courier in self._couriers:
            courier.end()

    def step(self) -> bool:
        """One look at everything; whether something is left to do. Nothing stops it for long."""
        self._look()
        try:
            self._check_server()
            self._note_edits()
            is_behind = self._bring()
            self._words.bring(self._roots, self._mirrors.values())
            self._show_life()
        except ImportStopped as stopped:
            self._console.say_once(f"{stopped} Trying again…")
            self._is_ended.wait(AWAY_S)
            is_behind = False
        else:
            self._console.is_well()
        self._console.show_progress(self._mirrors.values(), len(self._due))
        if time.monotonic() > self._saved_at + SAVE_S:
            self._save()
        return is_behind

    # ── What is new ──────────────────────────────────────────────────────────

    def _look(self) -> None:
        for root in self._roots:
            try:
                for change in root.poll():
                    place = change.run.place
                    if change.kind == "gone":
                        self._mirrors.pop(place, None)
                        self._due.pop(place, None)
                        root.memory.forget(place)
                        continue
                    mirror = self._mirror(root, change.run)
                    mirror.note(is_rows=change.kind == "rows")
                    self._due.setdefault(place)
                    if not mirror.uid:
                        is_old = change.changed_at < time.time() - OLD_S
                        mirror.is_behind = is_old and not mirror.is_held
            except (OSError, ValueError) as error:
                self._console.say_once(f"{root.path} cannot be read: {error}")
            if nothing := root.why_nothing():
                self._console.say(nothing)
            for text in root.tree.problems() if root.tree else ():
                self._console.say(text)

    def _mirror(self, root: Root, run: object) -> Mirror:
        place = run.place  # type: ignore[attr-defined]
        if place not in self._mirrors:
            self._mirrors[place] = Mirror(
                run,  # type: ignore[arg-type]
                root.memory.run(place),
                self._couriers[len(self._mirrors) % len(self._couriers)],
                self._edits.take,
                self._console.say,
            )
        return self._mirrors[place]

    def _note_edits(self) -> None:
        edited = self._edits.poll()
        if edited:
            for place, mirror in self._mirrors.items():
                if mirror.uid in edited:
                    mirror.has_news = True
                    self._due.setdefault(place)
        for root in self._roots:
            if root.memory.cursor != self._edits.cursor:
                root.memory.cursor = self._edits.cursor
                root.memory.is_changed = True

    def _check_server(self) -> None:
        """Once: where the projects are gone, it is another server, or another database."""
        if self._is_checked:
            return
        there = read_projects(self._transport)
        if there is None:
            return
        self._is_checked = True
        for root in self._roots:
            for memory in root.memory.runs.values():
                if memory.info and memory.info["project"] not in there:
                    memory.__init__(identity=memory.identity)  # type: ignore[misc]

    # ── Bringing ─────────────────────────────────────────────────────────────

    def _bring(self) -> bool:
        """Each courier brings its own runs, all of them at the same time."""
        end = time.monotonic() + SLICE_S
        lanes: dict[Courier, list[str]] = {}
        for place in sorted(self._due, key=self._rank):
            lanes.setdefault(self._mirrors[place].courier, []).append(place)
        with ThreadPoolExecutor(len(self._couriers)) as pool:
            for lane in [pool.submit(self._bring_lane, places, end) for places in lanes.values()]:
                lane.result()
        return any(self._mirrors[place].is_behind for place in self._due)

    def _bring_lane(self, places: list[str], end: float) -> None:
        """Raises: ImportStopped."""
        for place in places:
            if self._update(self._mirrors[place], lambda: time.monotonic() > end):
                self._due.pop(place, None)
            if time.monotonic() > end or self._is_ended.is_set():
                break

    def _rank(self, place: str) -> tuple[bool, bool]:
        """Files of copies are all young: what a process has open goes before them."""
        mirror = self._mirrors[place]
        return mirror.is_behind, not mirror.is_held

    def _update(self, mirror: Mirror, is_time_up: Callable[[], bool]) -> bool:
        for root in self._roots:
            root.memory.is_changed = True
        return mirror.update(is_time_up)

    def _show_life(self) -> None:
        if time.monotonic() < self._looked_at + LOOK_S:
            return
        self._looked_at = time.monotonic()
        for mirror in list(self._mirrors.values()):
            mirror.show_life()

    def _save(self) -> None:
        self._saved_at = time.monotonic()
        for root in self._roots:
            try:
                root.memory.save()
            except OSError as error:
                self._console.say_once(f"It cannot be remembered how far this is: {error}")
