"""As many open files as the system allows: a socket is one."""

import resource


def raise_file_limit() -> int:
    """Raise the soft limit to the hard one, and say what it is now."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
