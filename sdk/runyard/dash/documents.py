"""To be found in `runyard.files`."""

from runyard.files.documents import locked, read_document, replace_document, sync_file, utc_now
from runyard.files.probing import open_file

__all__ = ["locked", "open_file", "read_document", "replace_document", "sync_file", "utc_now"]
