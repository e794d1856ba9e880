"""What can go wrong. Misuse of values raises ValueError or TypeError, a missing file FileNotFoundError.

MlDashError
├── ConfigurationError (ValueError)   where or what to log cannot be made out
├── AuthenticationError               the server does not let us read
├── StorageError                      a file is damaged or cannot be kept
├── ExperimentError (RuntimeError)    the experiment is not open
└── NetworkError                      something was to be read and the server does not answer;
                                      what is written waits, and never raises it
"""

__all__ = [
    "AuthenticationError",
    "ConfigurationError",
    "ExperimentError",
    "MlDashError",
    "NetworkError",
    "StorageError",
]


class MlDashError(Exception):
    """Base of all; `str(error)` says how to mend it."""


class ConfigurationError(MlDashError, ValueError):
    pass


class AuthenticationError(MlDashError):
    pass


class StorageError(MlDashError):
    pass


class ExperimentError(MlDashError, RuntimeError):
    pass


class NetworkError(MlDashError):
    pass
