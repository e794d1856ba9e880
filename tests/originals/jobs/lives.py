"""Begins and ends runs in each way there is; tells the status that the server gives after each step."""

import json
import sys
from pathlib import Path

import ml_dash
from ml_dash import Experiment, RemoteClient


def main(url, owner, project):
    client = RemoteClient(url, namespace=owner)
    told = {}

    def status(name):
        found = client.get_experiment_by_path_graphql(
            project, f"lives/{name}", namespace_slug=owner
        )
        return found["status"]

    def begin(name):
        experiment = Experiment(
            prefix=f"{owner}/{project}/lives/{name}", dash_url=url, dash_root=None
        )
        experiment.run.start()
        experiment.metrics("train").log(loss=0.5)
        return experiment

    for name, end in (("done", "complete"), ("broken", "fail"), ("stopped", "cancel")):
        steps = []
        for _ in range(2):  # the second goes on with the first, in another object
            experiment = begin(name)
            steps.append(status(name))
            getattr(experiment.run, end)()
            steps.append(status(name))
        experiment.run.start()  # the same object once more
        steps.append(status(name))
        experiment.run.complete()
        told[name] = [*steps, status(name)]
    try:
        with Experiment(prefix=f"{owner}/{project}/lives/raised", dash_url=url, dash_root=None).run:
            raise ValueError("out of memory")
    except ValueError:
        told["raised"] = [status("raised")]
    return {"client": ml_dash.__file__, "version": ml_dash.__version__, "told": told}


facts = main(**json.loads(sys.argv[1]))
Path("facts.json").write_text(json.dumps(facts))
