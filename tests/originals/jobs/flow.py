"""Runs of MLflow in the working directory: `flow.py files|database`."""

import math
import os
import sys

import mlflow


def main(kind: str) -> None:
    mlflow.set_tracking_uri("file:./mlruns" if kind == "files" else "sqlite:///mlflow.db")
    mlflow.set_experiment("vision/ä test")
    with mlflow.start_run(
        run_name="parent run", tags={"team": "blue", "empty": ""}, description="# Note\n\n<b>b</b>"
    ):
        log_much()
        with mlflow.start_run(run_name="child", nested=True):
            mlflow.log_metric("loss", 5.0, step=0)
    try:
        with mlflow.start_run(run_name="broken"):
            mlflow.log_metric("loss", 9.0, step=1)
            raise RuntimeError
    except RuntimeError:
        pass
    with mlflow.start_run(run_name="deleted") as run:
        mlflow.log_metric("loss", 1.0)
    mlflow.delete_run(run.info.run_id)
    mlflow.set_experiment("other")
    mlflow.start_run(run_name="silent")
    mlflow.log_metric("m", 1.0)
    os._exit(0)  # as if it had been killed: nothing notes its end


def log_much() -> None:
    params = {"lr": 0.1, "layers": 3, "net": "resnet", "flag": True, "version": "1.10", "no": None}
    mlflow.log_params(params)
    for step in range(20):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"val/acc": step / 32, "val/f1": step / 64}, step=step)
    for step, value in enumerate([math.nan, math.inf, -math.inf, -1.5], -1):
        mlflow.log_metric("odd", value, step=step)
    mlflow.log_text("hello", "notes/a.txt")
    mlflow.log_dict({"a": 1}, "conf.json")


if __name__ == "__main__":
    main(sys.argv[1])
