"""What can go wrong in a job. Network trouble is not among it: that never reaches the caller.

RunyardError
├── RunExists (RuntimeError)      the name is taken and the run is not to be resumed
├── RunFinished (RuntimeError)    something was logged after the end
├── StartRefused (ValueError)     the server will not have the run as it is described
├── NoServer (ValueError)         nobody said where to log to
├── LoginRefused (PermissionError) user name or password is wrong
├── AccessRefused (PermissionError) the server does not let us read
├── DamagedFile (OSError)          a file's bytes are not those that were saved
└── TransportError                no answer came; only who reads from the server hears of it
"""


class RunyardError(Exception):
    """Base of all errors of the SDK; `str(error)` says how to mend it."""


class RunExists(RunyardError, RuntimeError):
    pass


class RunFinished(RunyardError, RuntimeError):
    pass


class StartRefused(RunyardError, ValueError):
    pass


class NoServer(RunyardError, ValueError):
    pass


class LoginRefused(RunyardError, PermissionError):
    pass


class AccessRefused(RunyardError, PermissionError):
    pass


class DamagedFile(RunyardError, OSError):
    pass


class TransportError(RunyardError):
    pass
