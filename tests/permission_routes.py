"""The routes there are, and what the words of tests/permission_rules.py mean for each caller."""

import re
from collections.abc import Iterator
from typing import Any

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, get_resolver

from tests.permission_rules import ADMIN, ALIASES, RULES
from tests.permission_world import CALLERS, TOKENS
from tracking.routing import http_urlpatterns, websocket_urlpatterns

MODES = ["open", "login"]
NOBODY = {"anonymous", "disabled", "revoked token"}
KNOWN = set(CALLERS) - NOBODY
# Of those who are known, and without the rights of the user `local`.
MAY: dict[str, set[str]] = {
    "signed-in": KNOWN,
    "person": KNOWN,
    "list": KNOWN,
    "create": KNOWN - {"reading token", "other project's token"},
    "read": KNOWN - {"stranger", "other project's token"},
    "write": {"editor", "owner", "admin", "writing token", "jwt"},
    "manage": {"owner", "admin", "writing token", "jwt"},
    "staff": {"admin"},
    "own": {"owner"},
    "member": {"viewer", "editor", "owner"},
}
PAGES_BY_TOKEN = {"read", "write", "manage"}  # to look at; what they change is for people


def set_mode(settings: Any, mode: str) -> None:
    settings.ACCESS = mode
    settings.REGISTRATION = "open" if mode == "open" else "closed"


def walk(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        text = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            path = "/" + re.sub(r"<\w+:(\w+)>", r"<\1>", simplify_regex(text)).strip("/")
            yield path, pattern
        else:
            yield from walk(pattern.url_patterns, text)


ROUTES = dict(walk(get_resolver().url_patterns))
CONSUMERS = [path for path, _ in walk(http_urlpatterns)]
SOCKETS = [path for path, _ in walk(websocket_urlpatterns)]


def rule_name(path: str) -> str:
    for alias, original in ALIASES.items():
        if path.startswith(alias):
            return original + path.removeprefix(alias)
    return path


def rules_of(path: str) -> dict[str, str]:
    name = rule_name(path)
    if name not in RULES and path.startswith(ADMIN):
        return {"GET": "staff"}
    return RULES[name]


def may(  # noqa: PLR0911 -- a list of rules
    rule: str, caller: str, mode: str, *, is_page: bool = False, method: str = "GET"
) -> bool:
    """What the words of the rules mean."""
    if rule == "public":
        return True
    if rule in {"secret", "closed"}:
        return mode == "open"
    kind, _, right = rule.rpartition(" ")
    if kind == "token" and caller not in TOKENS:
        return False
    if kind == "account" and mode == "open":
        return caller not in TOKENS
    if caller in {"anonymous", "disabled"}:
        return mode == "open" and right not in {"own", "member"}
    if caller in TOKENS and is_page and (right not in PAGES_BY_TOKEN or method != "GET"):
        return False
    return caller in MAY[right]


def is_page(path: str) -> bool:
    """REST views take tokens for all that their user may."""
    return bool(getattr(ROUTES[path].callback, "login_required", True))


def address(path: str, values: dict[str, str]) -> str:
    own = {"artifact_id": values["picture_id"]} if path.endswith("/content") else {}
    filled = re.sub(r"<(\w+)>", lambda found: (values | own)[found[1]], path)
    return f"{filled}/" if path.startswith(ADMIN) else filled
