"""Said by `manage.py check --tag services` and at the start: does the store of files let us in?"""

from collections.abc import Sequence

from django.core import checks
from django.core.files.storage import default_storage


@checks.register("services", checks.Tags.database)
def check_storage(
    *, databases: Sequence[str] | None = None, **_: object
) -> list[checks.CheckMessage]:
    """A store that is away is no reason not to start: all else works without it.

    Django runs it before each command, but asks it to connect only where it names a database.
    """
    find_fault = getattr(default_storage, "find_fault", None)
    text, is_passing = find_fault() if find_fault and databases else ("", False)
    if not text:
        return []
    if is_passing:
        text = f"The store of files does not answer: {text}"
        return [
            checks.Warning(text, hint="Files are not to be had until it does.", id="runyard.W021")
        ]
    return [checks.Error(f"The store of files cannot be used: {text}", id="runyard.E020")]
