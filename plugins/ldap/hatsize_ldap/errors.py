"""What goes wrong with a directory, in words for whoever runs the server."""


class DirectoryError(Exception):
    """The directory answered, and not with what was asked for; another server of it would do the same."""


class UnreachableError(DirectoryError):
    """A server of the directory does not answer, or not as one that could be trusted; another one may."""
