"""Why a command was not carried out, in words for the person who asked."""


class RefusedError(Exception):
    """A command that cannot be carried out. The message names the thing and, where there is one, the mend."""


class NotFoundError(RefusedError):
    """What the command is about is not there."""


class AlreadyExistsError(RefusedError):
    """What the command would make is there already."""


class InvalidError(RefusedError):
    """An argument is not of the form it must have."""


class NotAllowedError(RefusedError):
    """The one who asks may not do this."""
