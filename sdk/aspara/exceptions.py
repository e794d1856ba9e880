"""Errors with a name of their own; misuse raises ValueError, TypeError or RuntimeError."""

from runyard.errors import RunExists

__all__ = ["RunAlreadyExistsError"]


class RunAlreadyExistsError(RunExists):
    """The project has a run of this name, and `resume` was not asked for."""
