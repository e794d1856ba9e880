"""Logs what is hard to write down; tells which of it the client itself refused."""

import json
import sys
from pathlib import Path

import httpx
import ml_dash
from ml_dash import Experiment

ODD = {"nan": float("nan"), "inf": float("inf"), "minus": float("-inf")}


def main(url, prefix):
    refused = []
    with Experiment(prefix=prefix, dash_url=url, dash_root=None).run as e:
        for step in range(3):
            e.metrics("train").log(loss=step)
        for name, value in ODD.items():
            try:
                e.metrics("train").log(loss=value, why=name)
            except ValueError:
                refused.append(name)
        for name in ("a b/é", "why?", "cut#1"):  # which it does not escape
            e.metrics(name).log(x=1)
        e.metrics("big").log(big=2**70, text="x" * 10_000, deep={"a": [{"b": None}]}, flag=True)
        e.log("ü\u2028\0end", level="warn", deep={"a": [1, None]})
        e.tracks("cam/é x").append(_ts=1.0, x=1)
    return {
        "client": ml_dash.__file__,
        "version": ml_dash.__version__,
        "refused": refused,
        "httpx": httpx.__version__,
    }


facts = main(**json.loads(sys.argv[1]))
Path("facts.json").write_text(json.dumps(facts))
