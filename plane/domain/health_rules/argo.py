"""Argo Rollouts, Workflows, Events and CD. A Workflow itself is judged by `health_platform`."""

from plane.domain.health_rules.rules import Rule, Table, field, flag, when

_RUN = Rule(
    (
        field("Degraded", "status.phase", "Failed", "Error"),
        field("Unknown", "status.phase", "Inconclusive"),
        field("Healthy", "status.phase", "Successful"),
    )
)
_EVENTS = Rule((when("Degraded", "*", "False"), when("Progressing", "*", "Unknown"), when("Healthy", "*")))
_PASSIVE = Rule(otherwise="Healthy", untouched="Healthy")
RULES: Table = {
    ("argoproj.io", "AnalysisRun"): _RUN,
    ("argoproj.io", "AnalysisTemplate"): _PASSIVE,
    ("argoproj.io", "AppProject"): _PASSIVE,
    ("argoproj.io", "Application"): Rule(
        (
            field("Degraded", "status.health.status", "Degraded"),
            field("Suspended", "status.health.status", "Suspended"),
            field("Healthy", "status.health.status", "Healthy"),
        ),
        message="status.health.message",
    ),
    ("argoproj.io", "ApplicationSet"): Rule(
        (when("Degraded", "ErrorOccurred"), when("Healthy", "ResourcesUpToDate")), otherwise="Progressing"
    ),
    ("argoproj.io", "ClusterAnalysisTemplate"): _PASSIVE,
    ("argoproj.io", "ClusterWorkflowTemplate"): _PASSIVE,
    ("argoproj.io", "CronWorkflow"): Rule(
        (
            flag("Suspended", "spec.suspend"),
            when("Degraded", "SubmissionError"),
            when("Degraded", "SpecError"),
        ),
        otherwise="Healthy",
        untouched="Healthy",
    ),
    ("argoproj.io", "EventBus"): _EVENTS,
    ("argoproj.io", "EventSource"): _EVENTS,
    ("argoproj.io", "Experiment"): _RUN,
    ("argoproj.io", "Rollout"): Rule(
        (
            field("Suspended", "status.phase", "Paused"),
            field("Degraded", "status.phase", "Degraded"),
            when("Degraded", "InvalidSpec"),
            field("Healthy", "status.phase", "Healthy"),
        )
    ),
    ("argoproj.io", "Sensor"): _EVENTS,
    ("argoproj.io", "WorkflowTemplate"): _PASSIVE,
}
