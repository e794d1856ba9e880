"""Loaded by pytest before settings are: tests never touch the data of the checkout they run in."""

import os
import tempfile

_home = tempfile.TemporaryDirectory(prefix="runyard-tests-")
os.environ["RUNYARD_DATA_DIR"] = _home.name
os.environ["RUNYARD_STATIC_DIR"] = tempfile.mkdtemp(prefix="static-", dir=_home.name)
os.environ["RUNYARD_DEBUG"] = "0"
