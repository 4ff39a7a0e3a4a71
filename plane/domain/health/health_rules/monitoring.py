"""Prometheus, OpenTelemetry, VictoriaMetrics, Grafana and other operators of monitoring.

Sources: prometheus-operator pkg/apis/monitoring/v1 (types), github.com/open-telemetry/opentelemetry-operator (docs/api),
docs.victoriametrics.com/operator/api, grafana.github.io/grafana-operator/docs/api, github.com/humio/humio-operator (api); compared with
argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import conditions, rules
from plane.domain.health.health_rules.rules import Globs, Rule, Table

_WORKLOAD = Rule(
    (
        rules.flag("Suspended", "spec.paused"),
        rules.when("Degraded", "Reconciled", "False"),
        rules.when("Progressing", "Available", "False|Degraded|Unknown", "SomePodsNotReady"),
        rules.when("Degraded", "Available", "False|Degraded|Unknown"),
        rules.when("Healthy", "Available"),
    )
)
_READ = ("AlertmanagerConfig", "PodMonitor", "Probe", "PrometheusRule", "ScrapeConfig", "ServiceMonitor")
# Newer operators write back who took a monitor, and whether it was accepted.
_CONFIGURATION = Rule(
    (rules.when("Degraded", "Accepted", "False", at="status.bindings.*.conditions"),), otherwise="Healthy", untouched="Healthy"
)
_SCALE = "status.scale.statusReplicas"  # ready/wanted, as text
_HUMIO = conditions.words("status.state", healthy="Exists", missing="NotFound", degraded="ConfigError", unknown="Unknown")
RULES: Table = {
    **{("monitoring.coreos.com", kind): _WORKLOAD for kind in ("Alertmanager", "Prometheus", "PrometheusAgent", "ThanosRuler")},
    **{("monitoring.coreos.com", kind): _CONFIGURATION for kind in _READ},
    ("opentelemetry.io", "Instrumentation"): conditions.PASSIVE,
    ("opentelemetry.io", "OpenTelemetryCollector"): Rule(
        (
            rules.both(rules.field("Healthy", "spec.mode", "daemonset"), rules.field("Healthy", _SCALE, "0/0")),
            rules.field("Degraded", _SCALE, "0/*"),
            rules.whole("Healthy", _SCALE),
            rules.both(rules.field("Healthy", "spec.mode", "sidecar"), rules.absent("Healthy", _SCALE)),
        ),
        message=_SCALE,
    ),
    **{
        ("core.humio.com", kind): _HUMIO
        for kind in ("HumioAction", "HumioAlert", "HumioIngestToken", "HumioParser", "HumioRepository", "HumioView")
    },
    ("core.humio.com", "HumioCluster"): conditions.words("status.state", healthy="Running", degraded="ConfigError", unknown="Unknown"),
    ("coralogix.com", "Alert"): conditions.one("RemoteSynced"),
    ("coralogix.com", "RecordingRuleGroupSet"): conditions.one("RemoteSynced"),
    ("datadoghq.com", "DatadogMetric"): Rule(
        (rules.when("Degraded", "Error"), rules.when("Degraded", "Valid", "False")), otherwise="Healthy", untouched="Healthy"
    ),
    ("grafana.integreatly.org", "Grafana"): Rule(
        (
            rules.field("Degraded", "status.stageStatus", "failed"),
            rules.both(rules.field("Healthy", "status.stage", "complete"), rules.field("Healthy", "status.stageStatus", "success")),
        ),
        message="status.stage",
    ),
    ("grafana.integreatly.org", "GrafanaDashboard"): Rule((rules.when("Degraded", "*", "False"), rules.when("Healthy", "*"))),
    ("grafana.integreatly.org", "GrafanaDatasource"): Rule(
        (rules.flag("Degraded", "status.NoMatchingInstances"), rules.field("Healthy", "status.uid"))
    ),
    ("grafana.integreatly.org", "GrafanaFolder"): Rule(
        (
            rules.when("Degraded", "FolderUIDMismatch"),
            *(rules.when("Degraded", name, "False") for name in ("FolderSynchronized", "NoMatchingInstance", "InvalidSpec")),
            rules.when("Healthy", "*"),
        )
    ),
    ("install.istio.io", "IstioOperator"): Rule(
        (
            rules.field("Unknown", "status.status", 0, "NONE"),
            rules.field("Progressing", "status.status", 1, "UPDATING", 2, "RECONCILING"),
            rules.field("Healthy", "status.status", 3, "HEALTHY"),
            rules.field("Degraded", "status.status", 4, "ERROR"),
        )
    ),
    ("jaegertracing.io", "Jaeger"): conditions.words("status.phase", healthy="Running", degraded="Failed"),
    ("kiali.io", "Kiali"): Rule((rules.when("Healthy", "Successful"), rules.when("Degraded", "Failure"))),
}
GLOBS: Globs = (
    (
        "operator.victoriametrics.com",
        "*",
        conditions.words("status.updateStatus", "status.reason", healthy="operational|ignored", suspended="paused", degraded="failed"),
    ),
)
