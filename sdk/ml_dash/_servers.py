"""Which server `dash_url` means."""

import os

from runyard.notices import warn
from runyard.transport import parse_address

from ml_dash.exceptions import ConfigurationError

PUBLISHED = "https://api.dash.ml"  # what the published API says `True` means


def find_server(dash_url: str | bool | None) -> str | None:
    """True: $ML_DASH_API_URL, $RUNYARD_URL, else the published one. Raises: ConfigurationError."""
    if not dash_url:
        return None
    url = dash_url if isinstance(dash_url, str) else _default()
    try:
        parse_address(url)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    return url


def _default() -> str:
    url = os.environ.get("ML_DASH_API_URL") or os.environ.get("RUNYARD_URL")
    if not url and os.environ.get("RUNYARD_TOKEN"):
        raise ConfigurationError(
            f"dash_url=True means {PUBLISHED}, which RUNYARD_TOKEN was not made for: "
            "set RUNYARD_URL to the server that it is for."
        )
    if not url:
        warn(
            f"dash_url=True means {PUBLISHED}, as neither ML_DASH_API_URL nor RUNYARD_URL is set. "
            "For a server of your own set one of them, or pass its address."
        )
    return url or PUBLISHED
