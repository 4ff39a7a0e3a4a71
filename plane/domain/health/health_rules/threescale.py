"""Red Hat 3scale: the API manager and what is configured in it.

Sources: the CRD references of github.com/3scale/3scale-operator (doc/*-reference.md); judged as in argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import rules
from plane.domain.health.health_rules.rules import Clause, Rule, Table

_GROUP = "capabilities.3scale.net"


def _unless(*wrong: str, well: str = "Ready") -> Rule:
    return Rule((rules.when("Healthy", well), *(rules.when("Degraded", name) for name in wrong)))


_NOT_READY: tuple[Clause, ...] = (rules.when("Degraded", "Ready", "False"),)
RULES: Table = {
    ("apps.3scale.net", "APIManager"): Rule(
        (
            rules.both(
                rules.field("Healthy", "status.deployments.ready"),
                rules.absent("Healthy", "status.deployments.starting"),
                rules.absent("Healthy", "status.deployments.stopped"),
            ),
            rules.when("Healthy", "Available"),
            rules.both(rules.when("Degraded", "Available", "False"), rules.field("Degraded", "status.conditions.*.reason")),
        )
    ),
    (_GROUP, "ActiveDoc"): _unless("Invalid", "Orphan", "Failed"),
    (_GROUP, "Application"): Rule(
        (
            rules.field("Suspended", "status.state", "suspended"),
            rules.when("Healthy", "Ready"),
            rules.both(rules.when("Degraded", "Ready", "False|Unknown"), rules.absent("Degraded", "status.adminId")),
        )
    ),
    (_GROUP, "ApplicationAuth"): _unless("Failed"),
    (_GROUP, "Backend"): _unless("Invalid", "Failed", well="Synced"),
    (_GROUP, "CustomPolicyDefinition"): _unless("Invalid", "Failed"),
    (_GROUP, "DeveloperAccount"): Rule((*_unless("Invalid", "Failed").clauses, rules.when("Suspended", "Waiting"))),
    (_GROUP, "DeveloperUser"): Rule(
        (rules.field("Suspended", "status.developerUserState", "suspended"), *_unless("Invalid", "Orphan", "Failed").clauses)
    ),
    (_GROUP, "OpenAPI"): _unless("Invalid", "Failed"),
    (_GROUP, "Product"): _unless("Invalid", "Orphan", "Failed", well="Synced"),
    (_GROUP, "ProxyConfigPromote"): Rule(
        (rules.when("Healthy", "Ready"), rules.when("Progressing", "In-progress"), rules.when("Degraded", "Failed"))
    ),
    (_GROUP, "Tenant"): Rule(
        (
            rules.both(rules.when("Healthy", "Ready"), rules.field("Healthy", "status.tenantId"), rules.field("Healthy", "status.adminId")),
            *_NOT_READY,
        )
    ),
}
