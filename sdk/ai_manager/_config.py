"""`run.config`: a dict whose changes reach the server."""

from collections.abc import Callable
from typing import Any

from runyard.values import as_json_map


class Config(dict[str, Any]):
    """Changes are merged into what the server has, so nothing can be removed.

    Raises TypeError for a value that JSON cannot hold, and for a removal; nothing is changed then.
    """

    def __init__(self, data: Any, record: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(as_json_map(data, "config"))
        self._record = record

    def update(self, *data: Any, **more: Any) -> None:
        """Change several values in one record."""
        changes = as_json_map(dict(*data, **more), "config")
        if changes:
            self._record(changes)
            super().update(changes)

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def __ior__(self, data: Any) -> "Config":  # type: ignore[override,misc]
        self.update(data)
        return self

    def _refuse(self, *_: object) -> Any:
        raise TypeError("The config of a run keeps what was logged: set a value to None instead.")

    __delitem__ = pop = popitem = clear = _refuse
