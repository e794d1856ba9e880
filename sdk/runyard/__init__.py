"""The core under the façades: a log on disk, and a sender that brings it to the server."""

__version__ = "0.1.0"  # of sdk/pyproject.toml; asking importlib.metadata takes too long
