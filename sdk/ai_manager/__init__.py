"""The `ai_manager` client: runs of a project, logged to a server that asks for a login.

from ai_manager import AIManager

manager = AIManager(project_name="my_project", username="user", password="pass")
with manager.run(name="training_run") as run:
    for epoch in range(100):
        run.log({"loss": 0.5, "accuracy": 0.85}, step=epoch)
"""

from ai_manager._manager import AIManager
from ai_manager._run import Run
from ai_manager._types import (
    ArtifactInfo,
    ArtifactType,
    ConfigDict,
    MetricDict,
    MetricInterface,
    MetricValue,
    RunInfo,
    RunStatus,
)

__all__ = [
    "AIManager",
    "ArtifactInfo",
    "ArtifactType",
    "ConfigDict",
    "MetricDict",
    "MetricInterface",
    "MetricValue",
    "Run",
    "RunInfo",
    "RunStatus",
]
