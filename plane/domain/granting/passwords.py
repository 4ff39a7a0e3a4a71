"""Rules of local passwords, and for how long wrong ones shut somebody out."""

import datetime as dt
import hashlib

from plane.domain import errors

SHORTEST, LONGEST = 12, 256  # characters; length is what counts (NIST SP 800-63B, 5.1.1)
OF_ACCOUNT, OF_ADDRESS = 5, 20  # wrong ones that cost nothing
FIRST, MOST = dt.timedelta(minutes=1), dt.timedelta(minutes=30)  # shut out, doubled with each wrong one beyond those
FORGET = dt.timedelta(hours=2)  # longer than somebody is shut out, or waiting would wipe the slate


def locked_for(failures: int, *, free: int) -> dt.timedelta:
    """After so many wrong ones in a row; zero: not at all."""
    beyond = failures - free
    return min(MOST, FIRST * 2 ** min(beyond, 10)) if beyond >= 0 else dt.timedelta()


def check(password: str, *, name: str) -> None:
    """Invalid for one that is too easy."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise errors.Invalid({"new": f"must be {SHORTEST} to {LONGEST} characters"})
    if len(set(password)) < SHORTEST // 2 or name.lower() in password.lower():
        raise errors.Invalid({"new": f"is too easy: at least {SHORTEST // 2} different characters, without the account's name"})


def key(what: str, value: str) -> bytes:
    """Where attempts are counted, without saying what somebody typed."""
    return hashlib.sha256(f"{what}/{value}".encode()).digest()
