"""What events about the roles that people take hold in `details`."""

from plane.domain.auditing import details


class GlassTaken(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """A break-glass role that somebody holds until then."""

    role: str
    reason: str
    until: str


class Session(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """A browser's session, never its secret."""

    session: str
    name: str


class LoginsEnded(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """How many tokens and sessions ended, and how many people lost the groups that the provider had named."""

    tokens: int
    people: int


class PasswordChanged(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """How many tokens and sessions of the one before ended with it."""

    ended: int


class LockedOut(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """An account or an address, until then (RFC 3339), after so many wrong passwords."""

    what: str
    until: str
    failures: int
