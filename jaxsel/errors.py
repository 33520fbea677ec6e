"""The one exception for mistakes a person can mend, raised at the boundary."""


class UserError(ValueError):
    """What was expected, what was found and what to do, in one line.

    The command line prints the message and exits with code 2; libraries can
    catch it as the `ValueError` it is.
    """
