"""Argo Rollouts, Workflows, Events and CD. A Workflow itself is judged by `health_platform`."""

from plane.domain.health_rules import rules
from plane.domain.health_rules.rules import Rule, Table

_RUN = Rule(
    (
        rules.field("Degraded", "status.phase", "Failed", "Error"),
        rules.field("Unknown", "status.phase", "Inconclusive"),
        rules.field("Healthy", "status.phase", "Successful"),
    )
)
_EVENTS = Rule((rules.when("Degraded", "*", "False"), rules.when("Progressing", "*", "Unknown"), rules.when("Healthy", "*")))
_PASSIVE = Rule(otherwise="Healthy", untouched="Healthy")
RULES: Table = {
    ("argoproj.io", "AnalysisRun"): _RUN,
    ("argoproj.io", "AnalysisTemplate"): _PASSIVE,
    ("argoproj.io", "AppProject"): _PASSIVE,
    ("argoproj.io", "Application"): Rule(
        (
            rules.field("Degraded", "status.health.status", "Degraded"),
            rules.field("Suspended", "status.health.status", "Suspended"),
            rules.field("Healthy", "status.health.status", "Healthy"),
        ),
        message="status.health.message",
    ),
    ("argoproj.io", "ApplicationSet"): Rule(
        (rules.when("Degraded", "ErrorOccurred"), rules.when("Healthy", "ResourcesUpToDate")), otherwise="Progressing"
    ),
    ("argoproj.io", "ClusterAnalysisTemplate"): _PASSIVE,
    ("argoproj.io", "ClusterWorkflowTemplate"): _PASSIVE,
    ("argoproj.io", "CronWorkflow"): Rule(
        (
            rules.flag("Suspended", "spec.suspend"),
            rules.when("Degraded", "SubmissionError"),
            rules.when("Degraded", "SpecError"),
        ),
        otherwise="Healthy",
        untouched="Healthy",
    ),
    ("argoproj.io", "EventBus"): _EVENTS,
    ("argoproj.io", "EventSource"): _EVENTS,
    ("argoproj.io", "Experiment"): _RUN,
    ("argoproj.io", "Rollout"): Rule(
        (
            rules.field("Suspended", "status.phase", "Paused"),
            rules.field("Degraded", "status.phase", "Degraded"),
            rules.when("Degraded", "InvalidSpec"),
            rules.field("Healthy", "status.phase", "Healthy"),
        )
    ),
    ("argoproj.io", "Sensor"): _EVENTS,
    ("argoproj.io", "WorkflowTemplate"): _PASSIVE,
}
