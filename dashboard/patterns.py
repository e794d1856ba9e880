"""Search by regular expression in time that grows with the text alone, whatever is asked for.

Python's own engine tries every way to match one after the other: a short pattern can keep it busy
for years. Here all ways are followed at once, and each step is remembered. Known are `.`, `[a-z]`,
`[^a]`, `\\d`, `\\w`, `\\s`, `*`, `+`, `?`, `|`, `(…)`, `^` and `$`; case does not count.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

MOST_MEMORY = 5_000  # remembered steps; then they are forgotten
META = frozenset("|^$*+?[]()\\")
CLASSES: dict[str, Callable[[str], bool]] = {
    "d": str.isdigit,
    "s": str.isspace,
    "w": lambda char: char.isalnum() or char == "_",
    "D": lambda char: not char.isdigit(),
    "S": lambda char: not char.isspace(),
    "W": lambda char: not char.isalnum() and char != "_",
}

Test = Callable[[str], bool]
States = frozenset[int]


def name_filter(query: str) -> Callable[[str], bool]:
    """Whether a name contains the query, or matches it where it is a pattern; slashes may enclose it."""
    plain = query.lower()
    is_enclosed = len(query) > 2 and query.startswith("/") and query.endswith("/")
    text = query[1:-1] if is_enclosed else query
    if not is_enclosed and not META & set(query):
        return lambda name: plain in name.lower()
    try:
        pattern = Pattern(text)
    except ValueError:
        return lambda name: plain in name.lower()  # nobody has typed it to its end yet
    return lambda name: plain in name.lower() or pattern.is_in(name)


@dataclass(slots=True)
class State:
    """`test`: what the next character must be; None: it leads on without one."""

    test: Test | None = None
    out: list[int] = field(default_factory=list)
    edge: str = ""  # "^" or "$": may be passed there only


class Pattern:
    """Raises ValueError for what is no pattern."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.states: list[State] = []
        self.first, self.last = self._alternatives()
        if self.place < len(self.text):
            raise ValueError(f"There is a ) too many at {self.place}.")
        self.memory: dict[tuple[States, str], States] = {}

    def is_in(self, text: str) -> bool:
        start, anywhere = self._spread({self.first}, "^"), self._spread({self.first}, "")
        now = start
        for char in text.lower():
            if self.last in now:
                return True
            now = self._step(now, char) | anywhere
        return self.last in self._spread(set(now), "$" if text else "^$")

    def _step(self, now: States, char: str) -> States:
        if (now, char) not in self.memory:
            if len(self.memory) >= MOST_MEMORY:
                self.memory.clear()
            states = (self.states[number] for number in now)
            found = {out for one in states if one.test and one.test(char) for out in one.out}
            self.memory[now, char] = self._spread(found, "")
        return self.memory[now, char]

    def _spread(self, numbers: set[int], edges: str) -> States:
        """All states that are reached from these without a character."""
        reached, waiting = set(numbers), list(numbers)
        while waiting:
            state = self.states[waiting.pop()]
            if state.test or (state.edge and state.edge not in edges):
                continue
            news = [number for number in state.out if number not in reached]
            reached.update(news)
            waiting.extend(news)
        return frozenset(reached)

    # Each of these reads a part of the text and gives its first and its last state.

    def _alternatives(self) -> tuple[int, int]:
        first, last = self._sequence()
        while self._takes("|"):
            other, end = self._sequence()
            first = self._add(out=[first, other])
            self.states[end].out.append(last)
        return first, last

    def _sequence(self) -> tuple[int, int]:
        first = last = self._add()
        while self.place < len(self.text) and self.text[self.place] not in "|)":
            start, end = self._repeated()
            self.states[last].out.append(start)
            last = end
        joint = self._add()
        self.states[last].out.append(joint)
        return first, joint

    def _repeated(self) -> tuple[int, int]:
        first, last = self._atom()
        while (sign := self._peek()) and sign in "*+?":
            self.place += 1
            start, end = self._add(out=[first]), self._add()
            self.states[last].out.append(end)
            if sign in "*+":
                self.states[last].out.append(first)
            if sign in "*?":
                self.states[start].out.append(end)
            first, last = start, end
        return first, last

    def _atom(self) -> tuple[int, int]:
        char = self._next()
        if char == "(":
            if self.text.startswith("?:", self.place):
                self.place += 2
            first, last = self._alternatives()
            if not self._takes(")"):
                raise ValueError("A ) is missing.")
            return first, last
        if char in "*+?":
            raise ValueError(f"Nothing is before {char}.")
        end = self._add()
        if char in "^$":
            return self._add(out=[end], edge=char), end
        return self._add(out=[end], test=self._test_of(char)), end

    def _test_of(self, char: str) -> Test:
        if char == ".":
            return lambda _: True
        if char == "[":
            return self._class()
        if char == "\\":
            char = self._next()
            return CLASSES.get(char, char.lower().__eq__)
        return char.lower().__eq__

    def _class(self) -> Test:
        is_negated = self._takes("^")
        tests: list[Test] = []
        while not tests or self._peek() != "]":
            char = self._next()
            if char == "\\":
                tests.append(self._test_of(char))
            elif self._peek() == "-" and self.text[self.place + 1 : self.place + 2] not in {
                "]",
                "",
            }:
                self.place += 1
                tests.append(_between(char, self._next()))
            else:
                tests.append(char.lower().__eq__)
        self.place += 1
        return lambda char: any(test(char) for test in tests) != is_negated

    def _add(self, **fields: object) -> int:
        self.states.append(State(**fields))  # type: ignore[arg-type]
        return len(self.states) - 1

    def _peek(self) -> str:
        return self.text[self.place : self.place + 1]

    def _next(self) -> str:
        if self.place >= len(self.text):
            raise ValueError("The pattern ends too early.")
        self.place += 1
        return self.text[self.place - 1]

    def _takes(self, char: str) -> bool:
        is_there = self._peek() == char
        self.place += is_there
        return is_there


def _between(low: str, high: str) -> Test:
    return lambda char: low.lower() <= char <= high.lower()
