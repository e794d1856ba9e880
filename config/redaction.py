"""What may not be read in a log: passwords, tokens, links that let somebody in."""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

from django.views.debug import SafeExceptionReporterFilter

from config.env import SECRETS

HIDDEN = "***"
LEAST = 8  # characters: to hide a shorter secret wherever it stands would hide half of the text
NAMES = (
    r"authorization|(?:set-)?cookie|sessionid|csrftoken|csrfmiddlewaretoken|x-csrftoken"
    r"|(?:[a-z0-9_-]*(?:password|passwd|secret|token|api[_-]?key|secret[_-]?(?:access[_-]?)?key))"
    r"|password[12]|new_password[12]|database_url|redis_url|x-amz-credential|(?:x-amz-)?signature"
)
# Between quotes; after the word that says what it is; or up to where something else begins.
VALUE = (
    r"""(?:b?'[^']*'|b?"[^"]*"|\\"[^"\\]*\\"|(?:bearer|token|basic)\s+[^\s"'\\,;)}\]]+"""
    r"""|[^\s"'\\,;&)}\]]+)"""
)
PATTERNS = [  # the first group stays
    re.compile(
        r"(?i)(\b[a-z][a-z0-9+.-]*://)[^\s/@\"'\\]+(?=@)"
    ),  # of an address: who, and by what
    re.compile(r"(?i)(\b(?:set-)?cookie['\"]?\s*[:=]\s*)[^\n\"'\\]+"),  # all of them
    re.compile(rf"(?i)((?<![a-z0-9])(?:{NAMES})\\?['\"]?\s*(?:=|:|,\s*(?=b?['\"]))\s*){VALUE}"),
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=:-]{6,}"),
    re.compile(r"(?i)(\btoken\s+)(?=\S*[0-9_.-])[A-Za-z0-9._-]{16,}"),
    re.compile(r"(\bry_)[A-Za-z0-9_-]+"),
    re.compile(r"()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"),  # a JWT
    # Django's signatures have colons in them.
    re.compile(r"(/(?:setup|join)/)(?=[^\s/\"'\\]*(?::|%3[Aa]))[^\s/\"'\\?&]+"),
]


def redact(text: str) -> str:
    """The same text, with a mark where a secret was."""
    for secret in _known_secrets():
        text = text.replace(secret, HIDDEN)
    for pattern in PATTERNS:
        text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    return text


def redact_value(value: Any) -> Any:
    """As `redact`, in what a line of the log has besides its text."""
    match value:
        case str():
            return redact(value)
        case bytes():
            return redact(value.decode("utf-8", "replace"))
        case dict():
            return {name: redact_value(item) for name, item in value.items()}
        case list() | tuple():
            return [redact_value(item) for item in value]
        case _:
            return value


def _known_secrets() -> list[str]:
    """What the settings have read: the longest first, so that none is hidden in part."""
    found = {text for secret in SECRETS for text in _forms(secret) if len(text) >= LEAST}
    return sorted(found, key=len, reverse=True)


@lru_cache(maxsize=100)
def _forms(secret: str) -> frozenset[str]:
    """It, and of an address the password, as the address writes it and as it is."""
    try:
        password = urlsplit(secret).password or ""
    except ValueError:  # not an address
        password = ""
    return frozenset({secret, password, unquote(password)})


class ReportFilter(SafeExceptionReporterFilter):
    """Of Django's pages about an error, which are shown with RUNYARD_DEBUG=1 alone."""

    hidden_settings = re.compile(
        "API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE|_URL$", re.IGNORECASE
    )
