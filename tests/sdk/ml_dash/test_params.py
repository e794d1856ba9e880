from collections.abc import Callable
from typing import Any

import pytest
from ml_dash import Experiment
from ml_dash._params import flatten, unflatten


class Base:
    inherited = 1


class Args(Base):
    lr = 0.1
    layers = (1, 2)
    _private = 2

    class Inner:
        pass

    def method(self) -> None: ...

    @property
    def computed(self) -> int:
        return 1

    @staticmethod
    def helper() -> None: ...


def test_class_gives_its_own_public_values(local: Experiment) -> None:
    assert local.params.set(Args=Args, plain=1) is local.params

    assert local.params.get() == {"Args.lr": 0.1, "Args.layers": [1, 2], "plain": 1}


def test_later_values_are_merged_in(experiment: Experiment) -> None:
    experiment.params.set(a={"b": 1, "c": [{"d": 2}]}, e=None).log(a={"b": 9}, empty={})
    experiment.params.set()

    assert experiment.params.get() == {"a.b": 9, "a.c": [{"d": 2}], "e": None}
    assert experiment.params.get(flatten=False) == {"a": {"b": 9, "c": [{"d": 2}]}, "e": None}


def test_numbers_that_are_none_come_back(experiment: Experiment) -> None:
    experiment.params.set(a=float("nan"), b=[float("inf")], c=-float("inf"))

    found = experiment.params.get()

    assert found.pop("a") != found.get("a")
    assert found == {"b": [float("inf")], "c": -float("inf")}


@pytest.mark.parametrize("bad", [object(), {"x": {1, 2}}, [lambda: 0]])
def test_values_that_json_cannot_hold_change_nothing(experiment: Experiment, bad: Any) -> None:
    experiment.params.set(a=1)

    with pytest.raises(TypeError, match=r"params\['bad"):
        experiment.params.set(b=2, bad=bad)

    assert experiment.params.get() == {"a": 1}


def test_map_in_itself_is_refused(local: Experiment) -> None:
    endless: dict[str, Any] = {}
    endless["x"] = endless

    with pytest.raises(ValueError, match="nested deeper than 32 levels"):
        local.params.set(a=endless)


def test_numpy_values_become_plain_ones(local: Experiment) -> None:
    import numpy as np

    local.params.set(a=np.float32(0.5), b=np.arange(3), c={"d": np.int64(7)})

    assert local.params.get() == {"a": 0.5, "b": [0, 1, 2], "c.d": 7}


@pytest.mark.parametrize(
    ("flat", "nested"),
    [
        ({"a.b": 1, "a.c.d": 2}, {"a": {"b": 1, "c": {"d": 2}}}),
        ({"b.c": 2, "b": 3}, {"b.c": 2, "b": 3}),
        ({"b": 3, "b.c": 2, "b.c.d": 1}, {"b": 3, "b.c": 2, "b.c.d": 1}),
        ({"a..b": 1, ".c": 2, "d.": 3}, {"a..b": 1, ".c": 2, "d.": 3}),
        ({}, {}),
    ],
)
def test_keys_that_contradict_each_other_stay_flat(
    flat: dict[str, Any], nested: dict[str, Any]
) -> None:
    assert unflatten(flat) == nested


def test_flattening_and_back_is_the_same() -> None:
    nested = {"a": {"b": {"c": 1}}, "d": [1, {"e": 2}], "f": None}

    assert unflatten(flatten(nested)) == nested
    assert flatten({1: {None: "x"}}) == {"1.None": "x"}


def test_two_runs_of_one_experiment_share_their_params(make: Callable[..., Experiment]) -> None:
    for number in (1, 2):
        with make().run as experiment:
            experiment.params.set(**{f"p{number}": number})
            found = experiment.params.get()

    assert found == {"p1": 1, "p2": 2}
