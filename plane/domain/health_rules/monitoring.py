"""Prometheus operator and OpenTelemetry operator."""

from plane.domain.health_rules import conditions
from plane.domain.health_rules.rules import Rule, Table, flag, when

_WORKLOAD = Rule(
    (
        flag("Suspended", "spec.paused"),
        when("Degraded", "Reconciled", "False"),
        when("Degraded", "Available", "Degraded"),
        when("Progressing", "Available", "False|Unknown"),
        when("Healthy", "Available"),
    )
)
_READ = ("AlertmanagerConfig", "PodMonitor", "Probe", "PrometheusRule", "ScrapeConfig", "ServiceMonitor")
# Newer operators write back who took a monitor, and whether it was accepted.
_CONFIGURATION = Rule((when("Degraded", "Accepted", "False", at="status.bindings.*.conditions"),), otherwise="Healthy", untouched="Healthy")
RULES: Table = {
    **{("monitoring.coreos.com", kind): _WORKLOAD for kind in ("Alertmanager", "Prometheus", "PrometheusAgent", "ThanosRuler")},
    **{("monitoring.coreos.com", kind): _CONFIGURATION for kind in _READ},
    ("opentelemetry.io", "Instrumentation"): conditions.PASSIVE,
}
