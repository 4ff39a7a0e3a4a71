"""Argo Rollouts, Workflows, Events and CD. A Workflow is judged by `health_platform`, a Rollout by `health_counted`.

Sources: argo-cd.readthedocs.io; argo-events pkg/apis/events/v1alpha1 (eventbus_types); argo-rollouts pkg/apis/rollouts/v1alpha1
(analysis_types, experiment_types); argo-workflows pkg/apis/workflow/v1alpha1 (cron_workflow_types).
"""

from plane.domain.health.health_rules import rules
from plane.domain.health.health_rules.rules import Rule, Table

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
        (
            rules.when("Degraded", "ErrorOccurred"),
            rules.when("Degraded", "ResourcesUpToDate", "False"),
            rules.when("Progressing", "RolloutProgressing"),
            rules.when("Healthy", "ResourcesUpToDate"),
        )
    ),
    ("argoproj.io", "ClusterAnalysisTemplate"): _PASSIVE,
    ("argoproj.io", "ClusterWorkflowTemplate"): _PASSIVE,
    ("argoproj.io", "CronWorkflow"): Rule(
        (
            rules.flag("Suspended", "spec.suspend"),
            rules.when("Degraded", "SubmissionError"),
            rules.when("Degraded", "SpecError"),
            rules.field("Suspended", "status.phase", "Stopped"),  # its stopStrategy has been met
        ),
        otherwise="Healthy",
        untouched="Healthy",
    ),
    ("argoproj.io", "EventBus"): Rule(
        (
            rules.when("Degraded", "Configured", "False"),
            rules.when("Degraded", "Deployed", "False"),
            rules.when("Progressing", "Configured", "Unknown"),
            rules.when("Healthy", "Deployed"),
        )
    ),
    ("argoproj.io", "EventSource"): _EVENTS,
    ("argoproj.io", "Experiment"): Rule((rules.when("Degraded", "InvalidSpec"), *_RUN.clauses)),
    ("argoproj.io", "Sensor"): _EVENTS,
    ("argoproj.io", "WorkflowEventBinding"): _PASSIVE,
    ("argoproj.io", "WorkflowTemplate"): _PASSIVE,
}
