"""Loaded by pytest before settings are: tests never touch the data of the checkout they run in."""

import os
import signal
import tempfile

# A shell that starts tests in the background lets them ignore Ctrl-C, and their children after them.
signal.signal(signal.SIGINT, signal.default_int_handler)
_home = tempfile.TemporaryDirectory(prefix="runyard-tests-")
os.environ["RUNYARD_DATA_DIR"] = _home.name
os.environ["RUNYARD_STATIC_DIR"] = tempfile.mkdtemp(prefix="static-", dir=_home.name)
os.environ["RUNYARD_DEBUG"] = "0"
if "DATABASE_URL" in os.environ:  # servers that share one share a key
    os.environ["RUNYARD_SECRET_KEY"] = (
        "a-key-that-is-only-for-tests-and-as-long-as-one-should-be-0123456789"
    )
