"""What a browser's request must show beside its cookie, so that no other site acts with it."""

import base64
import hashlib
import hmac
from urllib import parse

import msgspec

from plane.domain import errors

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITE = frozenset({"same-origin", "none"})  # none: typed by the person (Fetch Metadata, 2.4)
HEADER = "X-CSRF-Token"


class CrossSite(errors.PlaneError):
    """A request with a session's cookie that another site may have made."""

    code = "cross-site"

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; a session is for the plane's own pages, programs use a token")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request's method, and its headers of these names; empty: absent."""

    method: str
    origin: str = ""
    site: str = ""  # Sec-Fetch-Site
    host: str = ""


def proof(secret: str) -> str:
    """What a page of the session shows with each change, and nobody who does not hold the session's secret can say."""
    made = hmac.new(secret.encode(), b"gitops-plane csrf", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def check(asked: Asked, *, own: str, secret: str, shown: str) -> None:
    """CrossSite unless the request is of the plane's own pages. `own`: the plane's address; empty: whatever Host says."""
    check_site(asked, own=own)
    if asked.method not in SAFE and not hmac.compare_digest(shown.encode(), proof(secret).encode()):
        raise CrossSite(f"the header {HEADER} does not hold what GET /api/v1/session says for this session")


def check_site(asked: Asked, *, own: str) -> None:
    """CrossSite when the browser says that another site asks, or, for a change, nothing about it."""
    if asked.site and asked.site not in OWN_SITE:
        raise CrossSite("Sec-Fetch-Site says that another site asks")
    if asked.origin and not _same(asked, own):
        raise CrossSite("Origin is another site")
    if asked.method not in SAFE and not asked.origin:
        raise CrossSite("a change with a session needs the header Origin")


def _same(asked: Asked, own: str) -> bool:
    if own:
        parts = parse.urlsplit(own)
        return asked.origin == f"{parts.scheme}://{parts.netloc}"
    scheme, _, rest = asked.origin.partition("://")
    return scheme in {"http", "https"} and bool(rest) and rest == asked.host
