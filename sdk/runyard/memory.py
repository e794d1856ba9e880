"""What this machine remembers of a run's steps, for resuming while the server cannot be asked."""

import contextlib
import json
from pathlib import Path
from struct import unpack_from

from runyard.records import Row, decode, split_frames
from runyard.spool import find_end, read_meta


def note_next_step(root: Path, project: str, key: str, next_step: int) -> None:
    """Best effort: without room on the disk there is nothing to be done."""
    path = root / "runs" / project / f"{key}.json"
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"next_step": next_step}))


def known_next_step(root: Path, project: str, key: str) -> int:
    """The step after the last one known here; 0 if none is."""
    path = root / "runs" / project / f"{key}.json"
    try:
        noted = int(json.loads(path.read_text())["next_step"])
    except (OSError, ValueError, KeyError, TypeError):
        noted = 0
    return max(noted, spooled_next_step(root, project, key))


def spooled_next_step(root: Path, project: str, key: str) -> int:
    """The same, from the records that still wait to be sent."""
    found = [0]
    for path in (root / "spool").glob("[!.]*"):
        meta = read_meta(path)
        if meta and meta.project == project and key in (meta.key, meta.server_key):
            found.append(next_step_in(path))
    return max(found)


def next_step_in(spool: Path) -> int:
    """The step after the greatest in the newest segment of a spool."""
    try:
        segments, _ = find_end(spool)
        data = (spool / f"{segments[-1]:020}.seg").read_bytes()
    except (OSError, IndexError):
        return 0
    records, _ = split_frames(data, max_records=len(data), max_bytes=len(data))
    contents = [decode(record) for record in records if isinstance(record, bytes)]
    rows = [content for content in contents if isinstance(content, Row)]
    return max((unpack_from("<q", row.words)[0] + 1 for row in rows), default=0)
