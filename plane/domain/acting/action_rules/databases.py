"""Database operators: CloudNativePG, MariaDB, Percona's MongoDB."""

from plane.domain.acting.action_rules import rules
from plane.domain.acting.action_rules.rules import Body, Change, Parameter, Request, Rule, Table

_ANY = "any"


def _alone(body: Body) -> str:
    return "" if len(_healthy(body)) > 1 else "it has no second healthy instance"


def _healthy(body: Body) -> list[str]:
    return [name for name in rules.items(body, "status", "instancesStatus", "healthy") if isinstance(name, str)]


def _promote(request: Request) -> Change:
    chosen = _chosen(request)
    return Change(
        {
            "status": {
                "targetPrimary": chosen,
                "targetPrimaryTimestamp": request.stamp(),
                "phase": "Switchover in progress",
                "phaseReason": f"Switching over to {chosen}",
            }
        }
    )


def _chosen(request: Request) -> str:
    """The instance to become primary: by name, by number, or the next healthy one after the primary of now."""
    asked, healthy = str(request.given["instance"]), _healthy(request.body)
    if asked == _ANY:
        primary = rules.at(request.body, "status", "currentPrimary")
        return healthy[(healthy.index(primary) + 1) % len(healthy)] if primary in healthy else healthy[0]
    name = f"{request.body['metadata']['name']}-{asked}" if asked.isdecimal() else asked
    if name not in healthy:
        raise rules.refuse("instance", f"{asked!r} is no healthy instance; use {', '.join(healthy)}, or any")
    return name


RULES: Table = {
    ("k8s.mariadb.com", "MariaDB"): rules.switch(("suspend", "resume"), "suspended", "spec", "suspend"),
    ("postgresql.cnpg.io", "Cluster"): (
        *rules.switch(("hibernate", "rehydrate"), "hibernated", "metadata", "annotations", "cnpg.io/hibernation", values=("on", "off")),
        Rule("promote", blocks=(_alone,), parameters=(Parameter("instance", default=_ANY),), make=_promote),
        Rule("reload", rules.annotate("cnpg.io/reloadedAt", rules.NOW)),
        Rule("restart", rules.annotate("kubectl.kubernetes.io/restartedAt", rules.NOW)),
        *rules.switch(
            ("suspend", "resume"), "suspended", "metadata", "annotations", "cnpg.io/reconciliationLoop", values=("disabled", None)
        ),
    ),
    ("psmdb.percona.com", "PerconaServerMongoDB"): rules.switch(("pause", "unpause"), "paused", "spec", "pause"),
}
