"""The core under the façades: a log on disk, and a sender that brings it to the server.

import runyard

runs = runyard.Api("http://localhost:3141").runs("digits", "val/loss < 0.2")
print(runs.to_pandas())
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runyard.api import Api as Api

__version__ = "0.1.0"  # of sdk/pyproject.toml; asking importlib.metadata takes too long


def __getattr__(name: str) -> Any:
    """`Api` comes when it is asked for: jobs, which only write, do not pay for it."""
    if name == "Api":
        from runyard.api import Api  # noqa: PLC0415 -- slow import

        return Api
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
