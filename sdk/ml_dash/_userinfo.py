"""Who is logging, as far as this machine knows."""

import getpass
import os


class UserInfo:
    """Asks nobody: what the server knows of its users stays there."""

    @property
    def username(self) -> str:
        """$ML_DASH_USER, else the name of the system."""
        try:
            return os.environ.get("ML_DASH_USER") or getpass.getuser()
        except (OSError, KeyError, ImportError):  # a container whose user has no name
            return "anonymous"


userinfo = UserInfo()
