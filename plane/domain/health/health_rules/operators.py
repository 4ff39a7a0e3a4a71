"""OpenShift, KubeVirt, NetApp, GitOps Promoter and what else is run by an operator of its own.

Sources: docs.openshift.com (API index), kubevirt.io/api-reference, docs.netapp.com (Astra, Trident), gitops-promoter.readthedocs.io, and
the status types of the operators' repositories; judged as in argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import conditions, rules
from plane.domain.health.health_rules.rules import Globs, Rule, Table

_ASTRA = conditions.words("status.state", "status.state", healthy="Completed", progressing="Running", otherwise="Degraded")
_PROMOTED = Rule((rules.when("Degraded", "Ready", "False"), rules.when("Healthy", "Ready")))
_GATE = Rule(
    (
        rules.when("Degraded", "Ready", "False"),
        rules.when("Progressing", "Ready", "Unknown"),
        rules.field("Degraded", "status.environments.*.phase", "failure"),
        rules.field("Progressing", "status.environments.*.phase", "pending"),
        rules.when("Healthy", "Ready"),
    )
)
_ANCESTORS = "status.ancestors.*.conditions"
_SAP = Rule(
    (
        rules.when("Degraded", "Succeeded", "False"),
        rules.when("Degraded", "Failed"),
        rules.when("Healthy", "*", "True|False|Unknown"),
    )
)
RULES: Table = {
    ("apps.openshift.io", "DeploymentConfig"): Rule(
        (
            rules.field("Healthy", "status.replicas", 0),
            rules.both(
                rules.when("Healthy", "Available"), rules.when("Healthy", "Progressing", "True", "NewReplicationControllerAvailable")
            ),
            rules.when("Progressing", "Available"),
            rules.when("Progressing", "Progressing", "True", "NewReplicationControllerAvailable"),
            rules.field("Degraded", "status.replicas"),
        )
    ),
    ("operator.openshift.io", "IngressController"): Rule(
        (
            rules.when("Degraded", "Degraded"),
            rules.when("Progressing", "DeploymentReplicasAllAvailable", "False"),
            rules.when("Progressing", "Progressing"),
            rules.when("Healthy", "Available"),
        )
    ),
    ("ocs.openshift.io", "StorageCluster"): Rule(
        (rules.when("Degraded", "Degraded"), rules.when("Progressing", "Progressing"), rules.when("Healthy", "Available")),
        otherwise="Unknown",
        untouched="Unknown",
    ),
    ("route.openshift.io", "Route"): Rule(
        (
            rules.when("Degraded", "Admitted", "False", at="status.ingress.*.conditions"),
            rules.when("Healthy", "Admitted", at="status.ingress.*.conditions"),
        )
    ),
    ("operators.coreos.com", "Subscription"): Rule(
        (
            *(rules.when("Degraded", name) for name in ("CatalogSourcesUnhealthy", "InstallPlanFailed", "ResolutionFailed")),
            rules.field("Degraded", "status.state", "UpgradeFailed"),
            # an approval that a person has not given does not make what is installed ill
            rules.both(
                rules.field("Healthy", "spec.installPlanApproval", "Manual"),
                rules.when("Healthy", "InstallPlanPending", "True", "RequiresApproval"),
                rules.field("Healthy", "status.installedCSV"),
            ),
            rules.when("Progressing", "InstallPlanPending"),
            rules.field("Progressing", "status.state", "", "UpgradeAvailable", "UpgradePending"),
            rules.field("Healthy", "status.state"),
        ),
        message="status.state",
    ),
    ("nmstate.io", "NodeNetworkConfigurationPolicy"): Rule(
        (
            rules.when("Healthy", "Available"),
            rules.when("Degraded", "Degraded"),
            rules.when("Progressing", "Progressing"),
            rules.when("Suspended", "Ignored"),
        )
    ),
    ("kubevirt.io", "VirtualMachine"): Rule(
        (
            rules.both(rules.flag("Healthy", "spec.running", value=False), rules.absent("Healthy", "status.created")),
            rules.both(rules.field("Healthy", "spec.runStrategy", "Halted"), rules.absent("Healthy", "status.created")),
            rules.when("Suspended", "Paused"),
            rules.when("Healthy", "Ready"),
            rules.both(rules.when("Progressing", "Ready", "False|Unknown"), rules.flag("Progressing", "status.created")),
            rules.when("Suspended", "Ready", "False|Unknown"),
        ),
        message="status.printableStatus",
    ),
    ("kubevirt.io", "VirtualMachineInstance"): Rule(
        (
            rules.field("Degraded", "status.phase", "Failed"),
            rules.field("Progressing", "status.phase", "Pending", "Scheduling", "Scheduled"),
            rules.field("Suspended", "status.phase", "Succeeded"),
            rules.field("Unknown", "status.phase", "Unknown"),
            rules.when("Suspended", "Paused"),
            rules.when("Healthy", "Ready"),
            rules.when("Degraded", "Ready", "False|Unknown"),
        ),
        message="status.phase",
    ),
    ("cdi.kubevirt.io", "DataVolume"): Rule(
        (
            rules.field("Healthy", "status.phase", "Succeeded"),
            rules.field("Suspended", "status.phase", "Paused"),
            rules.when("Degraded", "Running", "False", "Error"),
            rules.field("Degraded", "status.phase", "Failed", "Unknown"),
        ),
        message="status.phase",
    ),
    ("astra.netapp.io", "AppVault"): conditions.words("status.state", healthy="available|Available", degraded="failed|Failed"),
    ("astra.netapp.io", "Application"): conditions.READY,
    **{("astra.netapp.io", kind): _ASTRA for kind in ("Backup", "ExecHooksRun", "ResourceBackup", "ResticVolumeBackup", "Snapshot")},
    ("astra.netapp.io", "ExecHook"): Rule(
        (rules.flag("Healthy", "spec.enabled"), rules.flag("Suspended", "spec.enabled", value=False)),
    ),
    ("trident.netapp.io", "TridentBackendConfig"): Rule(
        (
            rules.both(rules.field("Healthy", "status.phase", "Bound"), rules.field("Healthy", "status.lastOperationStatus", "Success")),
            rules.field("Degraded", "status.lastOperationStatus", "Failed"),
        )
    ),
    ("trident.netapp.io", "TridentOrchestrator"): conditions.words("status.status", healthy="Installed", degraded="Failed|Error"),
    ("promoter.argoproj.io", "ArgoCDCommitStatus"): Rule(
        (
            rules.when("Degraded", "Ready", "False"),
            rules.both(rules.when("Degraded", "Ready"), rules.absent("Degraded", "status.applicationsSelected")),
            rules.when("Healthy", "Ready"),
        )
    ),
    ("promoter.argoproj.io", "ChangeTransferPolicy"): Rule(
        (
            rules.when("Degraded", "Ready", "False"),
            rules.absent("Progressing", "status.active.dry.sha"),
            rules.absent("Progressing", "status.proposed.dry.sha"),
            rules.when("Healthy", "Ready"),
        )
    ),
    ("promoter.argoproj.io", "ClusterScmProvider"): _PROMOTED,
    ("promoter.argoproj.io", "CommitStatus"): _PROMOTED,
    ("promoter.argoproj.io", "GitCommitStatus"): _GATE,
    ("promoter.argoproj.io", "GitRepository"): _PROMOTED,
    ("promoter.argoproj.io", "PromotionStrategy"): Rule(
        (
            rules.when("Degraded", "Ready", "False"),
            rules.both(rules.when("Degraded", "Ready"), rules.absent("Degraded", "status.environments")),
            rules.both(
                rules.when("Healthy", "Ready"),
                rules.field("Healthy", "status.environments.*.active.dry.sha"),
                rules.field("Healthy", "status.environments.*.proposed.dry.sha"),
            ),
        )
    ),
    ("promoter.argoproj.io", "PullRequest"): Rule(
        (
            rules.when("Degraded", "Reconciled", "False"),
            rules.when("Degraded", "Ready", "False"),
            rules.when("Healthy", "Reconciled"),
            rules.when("Healthy", "Ready"),
        )
    ),
    ("promoter.argoproj.io", "ScmProvider"): _PROMOTED,
    ("promoter.argoproj.io", "TimedCommitStatus"): _GATE,
    ("promoter.argoproj.io", "WebRequestCommitStatus"): _GATE,
    ("argocd-image-updater.argoproj.io", "ImageUpdater"): conditions.READY,
    ("core.spinkube.dev", "SpinApp"): Rule(
        (
            rules.when("Degraded", "Progressing", "False", "ProgressDeadlineExceeded"),
            rules.when("Degraded", "Available", "False|Unknown"),
            rules.below("Progressing", "status.readyReplicas", "spec.replicas"),
            rules.both(rules.when("Progressing", "Progressing"), rules.when("Progressing", "Available")),
            rules.when("Healthy", "Available"),
        ),
        otherwise="Degraded",
    ),
    ("camel.apache.org", "Integration"): conditions.READY,
    ("iammanager.keikoproj.io", "Iamrole"): conditions.words(
        "status.state",
        "status.errorDescription",
        healthy="Ready",
        degraded="Error|RolesMaxLimitReached|PolicyNotAllowed|RoleNameNotAvailable",
    ),
    ("k8s.keycloak.org", "Keycloak"): Rule((rules.when("Healthy", "Ready"), rules.when("Degraded", "HasErrors"))),
    ("onepassword.com", "OnePasswordItem"): conditions.READY,
    ("kubernetes-client.io", "ExternalSecret"): conditions.words("status.status", "status.status", healthy="SUCCESS", degraded="ERROR*"),
    ("services.cloud.sap.com", "ServiceBinding"): _SAP,
    ("services.cloud.sap.com", "ServiceInstance"): _SAP,
    ("spot.io", "SpotDeployment"): Rule(
        (
            rules.when("Degraded", "InvalidSpec", "True|False|Unknown"),
            rules.when("Degraded", "Progressing", "True|False|Unknown", "RolloutAborted", "ProgressDeadlineExceeded"),
            rules.when("Suspended", "Paused"),
            rules.field("Progressing", "status.phase", "Progressing"),
            rules.when("Healthy", "*", "True|False|Unknown"),
        )
    ),
    ("flagger.app", "Canary"): conditions.words(
        "status.phase",
        "status.phase",
        degraded="Failed",
        progressing="Progressing|Finalising|Promoting",
        healthy="Succeeded|Initialized",
        otherwise="Unknown",
    ),
    ("proclaim.dogmatiq.io", "DNSSDServiceInstance"): Rule(
        (
            rules.when("Degraded", "Adopted", "False"),
            rules.when("Degraded", "Advertised", "True|False|Unknown", "AdvertiseError", "UnadvertiseError"),
            rules.when("Unknown", "Discoverable", "True|False|Unknown", "DiscoveryError"),
            rules.when("Healthy", "Discoverable"),
        )
    ),
}
GLOBS: Globs = (
    (
        "microgateway.airlock.com",
        "*Policy",
        Rule(
            (
                rules.when("Degraded", "Accepted", "False|Unknown", at=_ANCESTORS),
                rules.when("Degraded", "ResolvedRefs", "False|Unknown", at=_ANCESTORS),
                rules.when("Healthy", "Accepted", at=_ANCESTORS),
            )
        ),
    ),
    ("microgateway.airlock.com", "*", conditions.PASSIVE),
    ("grafana-org-operator.kubitus-project.gitlab.io", "*", conditions.READY),
)
