"""What can go wrong in the domain. Surfaces turn these into their own answers.

RunyardError
├── InvalidInput            the caller's data is wrong; the text says what and how to mend it
│   └── LimitExceeded       more than a limit allows
│       └── FileTooLarge    a file has more bytes than one may have
├── InvalidCredentials      a token that is no good: unknown, expired, revoked
├── NotFound                there is no such thing, or the caller may not know of it
├── NotPermitted            visible, but not for this caller to change
│   └── NameTaken           the name belongs to what the caller may not see
├── AlreadyExists           the name is taken
├── OutOfSequence           a batch starts beyond the producer's watermark
├── RunDeleted              the run this producer wrote to was deleted
├── Overloaded              more is waiting than can be written soon
└── StoreAway               the store of files does not answer, or has no room
"""


class RunyardError(Exception):
    """Base of all domain errors; `str(error)` is fit for the caller to read."""


class InvalidInput(RunyardError):
    """`field` names the offending part of the input, where there is one."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class LimitExceeded(InvalidInput):
    pass


class FileTooLarge(LimitExceeded):
    pass


class InvalidCredentials(RunyardError):
    pass


class NotFound(RunyardError):
    pass


class NotPermitted(RunyardError):
    pass


class NameTaken(NotPermitted):
    pass


class AlreadyExists(RunyardError):
    pass


class OutOfSequence(RunyardError):
    """`expected_seq` is where the producer must go on."""

    def __init__(self, expected_seq: int) -> None:
        super().__init__(f"Expected sequence number {expected_seq}.")
        self.expected_seq = expected_seq


class RunDeleted(RunyardError):
    pass


class Overloaded(RunyardError):
    pass


class StoreAway(RunyardError):
    """For a while: whoever comes again later finds it back."""


class StoreNotFit(RunyardError):
    pass
