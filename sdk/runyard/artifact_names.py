"""What an artifact is called that was given no name: as its file, made to fit."""

import re
from zlib import crc32

from runyard.notices import Once
from runyard.values import MAX_NAME_LENGTH

ODD = re.compile(r"^\.\.|[^A-Za-z0-9_.-]")
MAX_SUFFIX_LENGTH = 20  # a longer one is no suffix, but a dot in a name

_notices = Once()  # of this process


def derive_name(file_name: str) -> str:
    """The artifact's name for a file of this name; the first that had to change is warned about.

    Odd characters become `_`, and what is too long is cut before the suffix. Names that may have
    become alike that way (two words of Chinese) are kept apart by a checksum: artifacts of one
    name replace each other.
    """
    fit = ODD.sub(lambda odd: "_" * len(odd[0]), file_name)
    if fit == file_name and len(fit) <= MAX_NAME_LENGTH:
        return fit
    stem, dot, suffix = fit.rpartition(".")
    if not stem or len(suffix) > MAX_SUFFIX_LENGTH:
        stem, dot, suffix = fit, "", ""
    is_plain = file_name.isascii() and len(fit) <= MAX_NAME_LENGTH
    end = f"{'' if is_plain else _mark(file_name)}{dot}{suffix}"
    name = stem[: MAX_NAME_LENGTH - len(end)] + end
    _notices.warn(
        "changed",
        f"the file {file_name[:80]!r} is kept as the artifact '{name}'; names have letters, digits, "
        f"'_', '.' and '-', not '..' in front, at most {MAX_NAME_LENGTH}. Others are changed likewise.",
    )
    return name


def _mark(file_name: str) -> str:
    return f"-{crc32(file_name.encode(errors='surrogatepass')):08x}"
