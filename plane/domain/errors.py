"""The root of every refusal the plane can utter; each error type lives beside the code that raises it."""

import datetime as dt
import math


class PlaneError(Exception):
    """A refusal with a stable `code`; `str()` is the one sentence every face shows.

    Subclasses hold their public fields as attributes named in `fields`; faces print those and nothing else.
    """

    code = "internal"
    fields: tuple[str, ...] = ()

    def public(self) -> dict[str, object]:
        """The error's public fields: JSON-ready values, never a secret, a query or a stack."""
        return {name: getattr(self, name) for name in self.fields}


class NotFound(PlaneError):
    """Absent, or somebody else's: the two look the same on every face."""

    code = "not-found"
    fields = ("kind", "name")

    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.name = kind, name
        super().__init__(f"{kind} {name!r} was not found")


class Forbidden(PlaneError):
    """The caller is known and may see the target, but lacks the permission."""

    code = "forbidden"
    fields = ("permission",)

    def __init__(self, permission: str) -> None:
        self.permission = permission
        super().__init__(f"this needs the permission {permission}; ask an admin for a role that has it")


class Unauthenticated(PlaneError):
    """No credential, or one that is unknown, expired or revoked."""

    code = "unauthenticated"

    def __init__(self, reason: str = "a bearer token is needed", *, remedy: str = "log in with `plane login`") -> None:
        super().__init__(f"{reason}; {remedy}" if remedy else reason)


class Invalid(PlaneError):
    """A value that breaks a rule; `problems` maps a path such as `spec.source.path` to the broken rule."""

    code = "invalid"
    fields = ("problems",)

    def __init__(self, problems: dict[str, str]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{path}: {rule}" if path else rule for path, rule in problems.items()))


class Conflict(PlaneError):
    """The target changed meanwhile, exists already, or still has something that depends on it."""

    code = "conflict"


class LeaseLost(PlaneError):
    """Another worker or agent took over; the late result is dropped."""

    code = "lease-lost"


class TooMany(PlaneError):
    """More was asked or tried than there is a budget for; after a while there is one again."""

    code = "too-many"

    def __init__(self, reason: str, *, retry_after: dt.timedelta) -> None:
        self.retry_after = retry_after
        super().__init__(f"{reason}; try again in {max(1, math.ceil(retry_after.total_seconds()))} s")


class BackendDown(PlaneError):
    """Something outside (git, vault, opa, database) did not answer in time; trying again may help."""

    code = "backend-down"
    fields = ("backend",)

    def __init__(self, backend: str, reason: str, *, retry_after: dt.timedelta = dt.timedelta(seconds=15)) -> None:
        self.backend = backend
        self.retry_after = retry_after
        super().__init__(f"{backend}: {reason}")


class RenderFailed(PlaneError):
    """The source could not be turned into objects; the last good release keeps running.

    `where` is `file:line`, a file, or empty.
    """

    code = "render-failed"
    fields = ("where",)

    def __init__(self, reason: str, *, where: str = "") -> None:
        self.where = where
        super().__init__(f"{where}: {reason}" if where else reason)


class SourceRefused(PlaneError):
    """A repository, revision or path that is unknown, unreachable for us, or not allowed."""

    code = "source-refused"


class SecretRefused(PlaneError):
    """A secret could not be opened: no key, broken MAC, denied path. Never quotes a value."""

    code = "secret-refused"
    fields = ("where",)

    def __init__(self, reason: str, *, where: str = "") -> None:
        self.where = where
        super().__init__(f"{where}: {reason}" if where else reason)
