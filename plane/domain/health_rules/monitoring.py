"""Prometheus operator and OpenTelemetry operator."""

from plane.domain.health_rules import conditions, rules
from plane.domain.health_rules.rules import Rule, Table

_WORKLOAD = Rule(
    (
        rules.flag("Suspended", "spec.paused"),
        rules.when("Degraded", "Reconciled", "False"),
        rules.when("Degraded", "Available", "Degraded"),
        rules.when("Progressing", "Available", "False|Unknown"),
        rules.when("Healthy", "Available"),
    )
)
_READ = ("AlertmanagerConfig", "PodMonitor", "Probe", "PrometheusRule", "ScrapeConfig", "ServiceMonitor")
# Newer operators write back who took a monitor, and whether it was accepted.
_CONFIGURATION = Rule(
    (rules.when("Degraded", "Accepted", "False", at="status.bindings.*.conditions"),), otherwise="Healthy", untouched="Healthy"
)
RULES: Table = {
    **{("monitoring.coreos.com", kind): _WORKLOAD for kind in ("Alertmanager", "Prometheus", "PrometheusAgent", "ThanosRuler")},
    **{("monitoring.coreos.com", kind): _CONFIGURATION for kind in _READ},
    ("opentelemetry.io", "Instrumentation"): conditions.PASSIVE,
}
