"""Rules that many projects share."""

from plane.domain.health.health_rules import rules
from plane.domain.health.health_rules.rules import Clause, Rule
from plane.domain.health.health_values import Status

# Ready False means that something is wrong; Unknown or nothing that it is under way.
READY = Rule((rules.when("Degraded", "Ready", "False"), rules.when("Healthy", "Ready")))
# Read by another program, which writes nothing back.
PASSIVE = Rule(otherwise="Healthy", untouched="Healthy")


def one(name: str) -> Rule:
    """A condition that is False where something is wrong, and True where all is well."""
    return Rule((rules.when("Degraded", name, "False"), rules.when("Healthy", name)))


def words(path: str, message: str = "status.message", *, otherwise: Status = "Progressing", **by_status: str) -> Rule:
    """A field with one word for each state; several words by `|`, statuses in small letters in the order in which they are tried."""
    clauses: tuple[Clause, ...] = tuple(rules.field(_STATUSES[name], path, *text.split("|")) for name, text in by_status.items())
    return Rule(clauses, otherwise=otherwise, message=message)


_STATUSES: dict[str, Status] = {
    "degraded": "Degraded",
    "healthy": "Healthy",
    "missing": "Missing",
    "progressing": "Progressing",
    "suspended": "Suspended",
    "unknown": "Unknown",
}
