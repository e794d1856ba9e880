import pytest
from runyard.series import NAMES_CHARS, Asked, Series, SeriesReader, divide, join, portions


def test_portions_fit_into_an_address() -> None:
    long = [f"{number:03}" + "x" * 247 for number in range(50)]

    parts = list(portions(long))

    assert [name for part in parts for name in part] == long
    assert max(sum(map(len, part)) for part in parts) <= NAMES_CHARS
    assert len(parts) == 3
    assert [len(part) for part in portions(map(str, range(250)))] == [100, 100, 50]
    assert list(portions(["é" * NAMES_CHARS])) == [("é" * NAMES_CHARS,)], "one goes in any case"
    assert list(portions([])) == []


def test_runs_are_divided_before_metrics() -> None:
    known = {"a": ["x", "y", "z"], "b": ["x"]}
    both = Asked(("a", "b"), (), known)

    first, second = divide(both)

    assert (first.runs, second.runs) == (("a",), ("b",))
    assert [part.names for part in divide(first)] == [("x",), ("y", "z")]
    assert divide(second) == []


def test_parts_of_a_series_follow_each_other() -> None:
    first, second = Series([1], [1.0], [10]), Series([2], [2.0], [20])

    assert join([{"m": {"a": first}}, {"m": {"b": first}}, {"m": {"a": second}}]) == {
        "m": {"a": Series([1, 2], [1.0, 2.0], [10, 20]), "b": first}
    }


def test_refusal_of_one_step_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(asked: Asked, max_points: int | None) -> dict[str, dict[str, Series]]:
        if max_points is None:
            raise ValueError("too many")
        return {"x": {"a": Series([5, 5], [1.0, 2.0], [1, 2])}}

    reader = SeriesReader(None, "p", None)  # type: ignore[arg-type]
    monkeypatch.setattr(reader, "_ask", refuse)

    with pytest.raises(ValueError, match="too many"):
        list(reader.read({"a": ["x"]}, []))
