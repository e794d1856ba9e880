"""A project on a server, and who logs to it."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from runyard import config as settings
from runyard.credentials import Credentials
from runyard.passwords import Login
from runyard.tokens import is_sendable
from runyard.transport import Address, parse_address
from runyard.values import as_name

from ai_manager._run import Run
from ai_manager._types import ConfigDict

DEFAULT_URL = "http://localhost:8000"


class AIManager:
    """Starts runs in the caller's own project of this name, which is created with the first run.

    A `token` comes before `username` and `password`; with none of them `AI_MANAGER_TOKEN` counts,
    then `RUNYARD_TOKEN`, then what `runyard login` has kept. The login is renewed as long as the process lives; the password stays in
    memory. Raises: PermissionError when the server refuses the login; ValueError, TypeError. A server
    that does not answer is warned about. Source: API Documentation, "Python Client Example".
    """

    def __init__(
        self,
        project_name: str,
        api_url: str = DEFAULT_URL,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
    ) -> None:
        self.project_name = as_name(project_name, "project_name")
        address = parse_address(api_url)
        self.api_url = address.url
        self._credentials = _sign_in(address, username, password, token)

    def run(
        self,
        name: str | None = None,
        config: Mapping[str, Any] | ConfigDict | None = None,
        tags: Iterable[str] | None = None,
    ) -> Run:
        """Start a run; without a `name` one is made up, and names may repeat.

        A server that does not answer is warned about, and hears of everything later. Raises:
        ValueError, TypeError.
        """
        return Run(
            self.project_name,
            name,
            config,
            tags,
            url=self.api_url,
            credentials=self._credentials,
        )

    def __enter__(self) -> "AIManager":
        return self

    def __exit__(self, *_: object) -> None:
        """Runs end by themselves."""


def _sign_in(
    address: Address, username: str | None, password: str | None, token: str | None
) -> Credentials:
    for name, value in (("username", username), ("password", password), ("token", token)):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name} must be text, not {type(value).__name__}.")
    if token and not is_sendable(token):
        raise ValueError("token must be one word of plain letters, as the server gave it.")
    if (username is None) != (password is None):
        raise ValueError("username and password belong together: give both, or a token.")
    if username is None or password is None:
        return Credentials(token or os.environ.get("AI_MANAGER_TOKEN", "").strip() or None)
    login = Login(username, password, token)
    timeout_s = settings.init_timeout_s()
    if not token and timeout_s and settings.logs_here():
        login.check(address, timeout_s=timeout_s)
    return login
