"""Whether a request comes from where it may: the same rule for views and consumers."""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import HttpRequest, split_domain_port, validate_host

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}


def refuse_origin(method: str, *, host: str, origin: str) -> tuple[int, str] | None:
    """Status and text for a request that may not come in; None for one that may."""
    if not is_allowed_host(host):
        return 400, (
            "This server does not answer to that Host. Its operator names those it answers to in"
            " RUNYARD_ALLOWED_HOSTS."
        )
    if method not in SAFE_METHODS and is_foreign_origin(origin, host):
        return 403, "Requests from another site's pages are refused."
    return None


def is_allowed_host(host: str) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def is_foreign_origin(origin: str, host: str) -> bool:
    """True when a browser says that another site's page made it ask. Clients send no Origin."""
    try:
        return bool(origin) and urlsplit(origin).netloc != host
    except ValueError:  # brackets without an address in them
        return True


def client_address(request: HttpRequest) -> str | None:
    """Where a request comes from: what the proxies that we trust have seen, never what it claims."""
    address = request.META.get("REMOTE_ADDR", "")
    seen = request.headers.get("X-Forwarded-For", "").split(",")
    if 0 < settings.TRUSTED_PROXIES <= len(seen):
        address = seen[-settings.TRUSTED_PROXIES].strip()
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:  # a server on a UNIX socket knows none
        return None
