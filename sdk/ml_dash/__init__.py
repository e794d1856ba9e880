"""Track experiments, here or on a server: `Experiment`.

from ml_dash import Experiment

with Experiment(prefix="alice/my-project/exp-001").run as experiment:
    experiment.params.set(lr=0.01)
    for step in range(100):
        experiment.metrics("train").log(step=step, loss=1 / (step + 1))
"""

from ml_dash._experiment import Experiment, OperationMode, ml_dash_experiment
from ml_dash._logs import LogBuilder, LogLevel
from ml_dash._params import ParametersBuilder
from ml_dash._userinfo import userinfo
from ml_dash.exceptions import (
    AuthenticationError,
    ConfigurationError,
    ExperimentError,
    MlDashError,
    NetworkError,
    StorageError,
)

__all__ = [
    "AuthenticationError",
    "ConfigurationError",
    "Experiment",
    "ExperimentError",
    "LogBuilder",
    "LogLevel",
    "MlDashError",
    "NetworkError",
    "OperationMode",
    "ParametersBuilder",
    "StorageError",
    "ml_dash_experiment",
    "userinfo",
]
