"""What can go wrong with a source, sorted by what it means for the next one."""


class SourceError(Exception):
    """A toolchain could not be obtained; the text says what, where, and what to do.

    No text holds a secret: URLs are written without user information and query.
    """


class Unreachable(SourceError):
    """The host did not answer: no name, no connection, no proxy."""


class NotThere(SourceError):
    """The host answered that it does not have this file (404, 410, no such file)."""


class TransferFailed(SourceError):
    """The host answered, but a complete file never came."""


class Refused(SourceError):
    """What came, or how it came, is not what was asked for: security relevant, never used."""


class Contents(Refused):
    """The same, said by whoever unpacks; the URL is still to be added."""


class CacheError(SourceError):
    """The controller's own cache cannot be used: owner, mode, space, lock."""
