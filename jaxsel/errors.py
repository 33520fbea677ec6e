"""Mistakes that a person can mend, and faults that are ours."""


class UserError(ValueError):
    """What was expected, what was found and what to do, in one line.

    The command line prints the message and exits with code 2; libraries can
    catch it as the `ValueError` it is.
    """


class InternalError(RuntimeError):
    """A fault of jaxsel itself: something that it computed cannot be right.

    Nothing that a person gave is wrong, and no result is returned.
    """
