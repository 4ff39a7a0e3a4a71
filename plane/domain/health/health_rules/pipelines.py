"""Numaflow, Spark, Flink, KServe, Keptn, OpenFaaS, Ansible: what computes.

Sources: numaflow.numaproj.io, kubeflow.github.io/spark-operator, nightlies.apache.org/flink/flink-kubernetes-operator, kserve.github.io,
keptn.sh, docs.openfaas.com; judged as in argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import conditions, rules
from plane.domain.health.health_rules.rules import Clause, Rule, Table

_PROGRESSIVE = "metadata.labels.numaplane.numaproj.io/progressive-result-state"
_STOPPED: tuple[Clause, ...] = (rules.when("Degraded", "*", "False"), rules.field("Degraded", "status.phase", "Failed"))
_FLOW = Rule(
    (*_STOPPED, rules.field("Degraded", _PROGRESSIVE, "failed"), rules.field("Healthy", "status.phase", "Running", "Paused", "Pausing"))
)
_VERTEX = Rule((*_STOPPED, rules.field("Healthy", "status.phase", "Running", "Paused")))
_BUFFER = Rule((*_STOPPED, rules.field("Degraded", _PROGRESSIVE, "failed"), rules.field("Healthy", "status.phase", "Running")))


def _rollout(child: str, paused: str = "") -> Rule:
    upgrade = rules.when("Degraded", "ProgressiveUpgradeSucceeded", "False")
    return Rule(
        (
            rules.when("Progressing", "ChildResourcesHealthy", "False", "Progressing"),
            upgrade,
            rules.field("Progressing", "status.upgradeInProgress"),
            rules.field("Progressing", "status.phase", "Pending"),
            rules.field("Degraded", "status.phase", "Failed"),
            rules.when("Degraded", "ChildResourcesHealthy", "False", *((child,) if child else ())),
            *((rules.when("Healthy", paused),) if paused else ()),
            rules.when("Healthy", "ChildResourcesHealthy"),
        ),
        otherwise="Unknown",
    )


_TASK = conditions.words("status.status", healthy="Succeeded", degraded="Failed")
_SPARK = "status.applicationState.state"
_JOB = "status.ansibleJobResult.status"
RULES: Table = {
    ("numaflow.numaproj.io", "InterStepBufferService"): _BUFFER,
    ("numaflow.numaproj.io", "MonoVertex"): _FLOW,
    ("numaflow.numaproj.io", "Pipeline"): _FLOW,
    ("numaflow.numaproj.io", "Vertex"): _VERTEX,
    ("numaplane.numaproj.io", "ISBServiceRollout"): _rollout("ISBSvcFailed"),
    ("numaplane.numaproj.io", "MonoVertexRollout"): _rollout("MonoVertexFailed", "MonoVertexPausingOrPaused"),
    ("numaplane.numaproj.io", "NumaflowControllerRollout"): _rollout(""),
    ("numaplane.numaproj.io", "PipelineRollout"): _rollout("PipelineFailed", "PipelinePausingOrPaused"),
    **{("lifecycle.keptn.sh", kind): _TASK for kind in ("KeptnAppVersion", "KeptnTask", "KeptnWorkloadInstance", "KeptnWorkloadVersion")},
    ("lifecycle.keptn.sh", "KeptnEvaluation"): conditions.words("status.overallStatus", healthy="Succeeded", degraded="Failed"),
    ("metrics.keptn.sh", "Analysis"): Rule(
        (
            rules.flag("Healthy", "status.pass"),
            rules.flag("Healthy", "status.warning"),
            rules.flag("Degraded", "status.pass", value=False),
        )
    ),
    ("metrics.keptn.sh", "KeptnMetric"): Rule(
        (rules.field("Degraded", "status.errMsg"), rules.field("Healthy", "status.value")), message="status.errMsg"
    ),
    ("flink.apache.org", "FlinkDeployment"): Rule(
        (
            rules.flag("Healthy", "status.reconciliationStatus.success"),
            rules.field("Healthy", "status.reconciliationStatus.state", "DEPLOYED"),
            rules.field("Progressing", "status.jobManagerDeploymentStatus", "DEPLOYED_NOT_READY", "DEPLOYING"),
            rules.both(
                rules.field("Degraded", "status.jobManagerDeploymentStatus", "ERROR"),
                rules.field("Degraded", "status.reconciliationStatus"),
            ),
            rules.both(
                rules.field("Healthy", "spec.job.state", "suspended"),  # never started, as wished
                rules.absent("Healthy", "status.reconciliationStatus.lastReconciledSpec"),
            ),
        ),
        message="status.reconciliationStatus.error",
    ),
    ("flink.apache.org", "FlinkSessionJob"): Rule(
        (
            rules.field("Healthy", "status.jobStatus.state", "RUNNING", "FINISHED"),
            rules.field("Progressing", "status.jobStatus.state", "RECONCILING", "CREATED"),
            rules.field("Suspended", "status.jobStatus.state", "SUSPENDED", "CANCELED"),
            rules.field("Degraded", "status.jobStatus.state", "FAILED"),
            rules.field("Degraded", "status.error"),
        ),
        message="status.error",
    ),
    ("openfaas.com", "Function"): Rule(
        (
            rules.when("Degraded", "Ready", "False"),
            rules.when("Degraded", "Stalled"),
            rules.both(rules.when("Suspended", "Ready"), rules.field("Suspended", "status.replicas", 0)),
            rules.both(rules.when("Suspended", "Ready"), rules.absent("Suspended", "status.replicas")),
            rules.when("Healthy", "Ready"),
        )
    ),
    ("serving.kserve.io", "InferenceService"): Rule(
        (
            rules.when("Suspended", "Stopped"),
            rules.field("Progressing", "status.modelStatus.transitionStatus", "InProgress"),
            rules.field("Degraded", "status.modelStatus.transitionStatus", "BlockedByFailedLoad", "InvalidSpec"),
            rules.when("Progressing", "*", "Unknown"),
            *(rules.when("Progressing", name, "False") for name in ("Ready", "PredictorReady", "IngressReady", "TransformerReady")),
            rules.field("Healthy", "status.modelStatus.transitionStatus", "UpToDate"),
            rules.when("Healthy", "Ready"),
        )
    ),
    ("serving.kserve.io", "LLMInferenceService"): Rule(
        (
            rules.when("Suspended", "*", "True|False|Unknown", "Stopped"),
            rules.when("Healthy", "Ready"),
            rules.when("Degraded", "Ready", "False"),
        )
    ),
    ("sparkoperator.k8s.io", "SparkApplication"): Rule(
        (
            rules.both(rules.field("Healthy", _SPARK, "RUNNING"), rules.field("Healthy", "status.executorState.*", "RUNNING")),
            rules.field("Healthy", _SPARK, "COMPLETED"),
            rules.field("Degraded", _SPARK, "FAILED", "SUBMISSION_FAILED", "FAILING"),
            rules.field("Missing", _SPARK, "INVALIDATING"),
        ),
        message="status.applicationState.errorMessage",
    ),
    ("tower.ansible.com", "AnsibleJob"): conditions.words(_JOB, _JOB, healthy="successful", degraded="failed|error|canceled"),
}
