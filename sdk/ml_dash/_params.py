"""`experiment.params`: flat when it is stored, nested when it is wanted so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runyard.values import JSON_DEPTH, as_json_map, as_key

from ml_dash._session import Session


class ParametersBuilder:
    def __init__(self, session: Session) -> None:
        self._session = session

    def set(self, /, **params: Any) -> ParametersBuilder:
        """Merge into the parameters. Of a class its own public values count; maps become `a.b`.

        Nothing is kept of a call with a value in it that JSON cannot hold.
        Raises: TypeError, ValueError, ExperimentError. Source: API Reference, "Parameters".
        """
        store = self._session.store
        if flat := as_json_map(flatten(_open_classes(params)), "params"):
            store.set_params(flat)
        return self

    def log(self, /, **params: Any) -> ParametersBuilder:
        return self.set(**params)

    def get(self, flatten: bool = True) -> dict[str, Any]:
        """Flat, or nested. Keys that would be both a value and a map stay flat."""
        flat = self._session.store.get_params()
        return flat if flatten else unflatten(flat)


def _open_classes(params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _class_values(value) if isinstance(value, type) else value
        for key, value in params.items()
    }


def _class_values(kind: type) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(kind).items()
        if not name.startswith("_") and not callable(value) and not _is_descriptor(value)
    }


def _is_descriptor(value: object) -> bool:
    return isinstance(value, (property, staticmethod, classmethod))


def flatten(params: Mapping[Any, Any]) -> dict[str, Any]:
    """Maps become `a.b`; an empty one leaves nothing; lists stay whole."""
    return dict(_flat_items(params, ""))


def _flat_items(
    params: Mapping[Any, Any], prefix: str, depth: int = 1
) -> Iterator[tuple[str, Any]]:
    if depth > JSON_DEPTH:
        raise ValueError(f"params are nested deeper than {JSON_DEPTH} levels.")
    for key, value in params.items():
        name = prefix + as_key(key, "params")
        if isinstance(value, Mapping):
            yield from _flat_items(value, f"{name}.", depth + 1)
        else:
            yield name, value


def unflatten(flat: Mapping[str, Any]) -> dict[str, Any]:
    """`a.b` becomes a map in a map, but where `a` is a value of its own."""
    nested: dict[str, Any] = {}
    for key, value in flat.items():
        *parents, last = key.split(".")
        if "" in (*parents, last) or any(
            _parent(key, depth) in flat for depth in range(len(parents))
        ):
            nested[key] = value
            continue
        place = nested
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return nested


def _parent(key: str, depth: int) -> str:
    return ".".join(key.split(".")[: depth + 1])
