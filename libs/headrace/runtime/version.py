"""Which Headrace this is."""

from importlib.metadata import PackageNotFoundError, version


def own_version() -> str:
    """The installed package's version; `0` where the code runs without being installed."""
    try:
        return version("headrace")
    except PackageNotFoundError:
        return "0"
