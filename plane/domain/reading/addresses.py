"""URLs that people write."""

from urllib import parse


def parts(url: str) -> parse.SplitResult | None:
    """Scheme, host, port and so on, all of which can be read then; None where it is no URL."""
    try:
        found = parse.urlsplit(url)
        port = found.port
    except ValueError:
        return None
    return None if port == 0 else found
