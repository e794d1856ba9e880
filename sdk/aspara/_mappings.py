"""`run.config` and `run.summary`: what is known here, and a record for each change."""

from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any

from runyard.values import as_json_map

Recorder = Callable[[dict[str, Any]], None]


def _forget(changes: dict[str, Any]) -> None:
    """Nobody records the changes of a Config that belongs to no run."""


class Summary:
    """Final results: item access, `in`, `update`, `to_dict`.

    A value that JSON cannot hold raises TypeError, and nothing of that change is kept.
    """

    _name = "summary"
    _data: dict[str, Any]
    _record: Recorder

    def __init__(self, data: Mapping[str, Any] | None = None, record: Recorder = _forget) -> None:
        object.__setattr__(self, "_data", as_json_map(data or {}, self._name))
        object.__setattr__(self, "_record", record)

    def update(self, data: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Change several values in one record."""
        changes = as_json_map({**(data or {}), **more}, self._name)
        if changes:
            self._record(changes)
            self._data.update(changes)

    def to_dict(self) -> dict[str, Any]:
        return as_json_map(self._data, self._name)

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __contains__(self, key: object) -> bool:
        return key in self._data

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._data!r})"


class Config(Summary):
    """Parameters: items, attributes, and what a dict can do but forget.

    Names that begin with an underscore are plain attributes and are not recorded.
    """

    _name = "config"

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._data:
            return self._data[name]
        raise AttributeError(f"Config has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            self.update({name: value})

    def get(self, key: str, default: Any = None) -> Any:
        return self._data.get(key, default)

    def keys(self) -> KeysView[str]:
        return self._data.keys()

    def values(self) -> ValuesView[Any]:
        return self._data.values()

    def items(self) -> ItemsView[str, Any]:
        return self._data.items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)
