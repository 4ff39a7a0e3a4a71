"""Longhorn, Rook, Velero and volume snapshots.

Sources: longhorn.io/docs and k8s/pkg/apis/longhorn/v1beta2 of github.com/longhorn/longhorn-manager (volume state and robustness),
rook.io/docs (CephCluster status), velero.io/docs (API types), kubernetes-csi.github.io; compared with argo-cd v3.6.1,
resource_customizations.
"""

from plane.domain.health.health_rules import conditions, rules
from plane.domain.health.health_rules.rules import Globs, Rule, Table

_CEPH = Rule(
    (rules.field("Degraded", "status.phase", "Failure", "Error"), rules.field("Healthy", "status.phase", "Ready", "Connected", "Created")),
    message="status.info.failureReason",
)
_MOVED = Rule(
    (
        rules.field("Degraded", "status.phase", "Failed", "FailedValidation", "PartiallyFailed", "FinalizingPartiallyFailed"),
        rules.field("Degraded", "status.phase", "WaitingForPluginOperationsPartiallyFailed", "Canceled"),
        rules.field("Healthy", "status.phase", "Completed"),
    ),
    message="status.failureReason",
)
_SNAPSHOT = Rule(
    (rules.field("Degraded", "status.error.message"), rules.flag("Healthy", "status.readyToUse")),
    message="status.error.message",
)
RULES: Table = {
    ("longhorn.io", "Backup"): Rule(
        (rules.field("Degraded", "status.state", "Error"), rules.field("Healthy", "status.state", "Completed")), message="status.error"
    ),
    ("longhorn.io", "BackupTarget"): Rule(
        (rules.when("Degraded", "Unavailable"), rules.flag("Healthy", "status.available")),
    ),
    ("longhorn.io", "EngineImage"): Rule(
        (rules.field("Degraded", "status.state", "error", "incompatible"), rules.field("Healthy", "status.state", "deployed"))
    ),
    ("longhorn.io", "Node"): Rule(
        (rules.when("Degraded", "Ready", "False"), rules.when("Degraded", "Schedulable", "False"), rules.when("Healthy", "Ready"))
    ),
    ("longhorn.io", "RecurringJob"): conditions.PASSIVE,
    ("longhorn.io", "Setting"): conditions.PASSIVE,
    ("longhorn.io", "Volume"): Rule(
        (
            rules.field("Degraded", "status.robustness", "faulted"),
            rules.field("Healthy", "status.state", "detached"),  # no workload uses it
            rules.both(rules.field("Healthy", "status.robustness", "healthy"), rules.field("Healthy", "status.state", "attached")),
        ),
        message="status.robustness",
    ),
    ("ceph.rook.io", "CephCluster"): Rule(
        (
            rules.field("Degraded", "status.phase", "Failure"),
            rules.field("Degraded", "status.ceph.health", "HEALTH_ERR", "HEALTH_WARN"),
            rules.field("Healthy", "status.ceph.health", "HEALTH_OK"),
        )
    ),
    ("objectbucket.io", "ObjectBucketClaim"): conditions.words("status.phase", healthy="Bound", degraded="Failed"),
    **{("snapshot.storage.k8s.io", kind): _SNAPSHOT for kind in ("VolumeSnapshot", "VolumeSnapshotContent")},
    ("snapshot.storage.k8s.io", "VolumeSnapshotClass"): conditions.PASSIVE,
    **{("velero.io", kind): _MOVED for kind in ("Backup", "Restore", "PodVolumeBackup", "PodVolumeRestore", "DataUpload", "DataDownload")},
    ("velero.io", "BackupRepository"): Rule(
        (rules.field("Degraded", "status.phase", "NotReady"), rules.field("Healthy", "status.phase", "Ready"))
    ),
    ("velero.io", "BackupStorageLocation"): Rule(
        (rules.field("Degraded", "status.phase", "Unavailable"), rules.field("Healthy", "status.phase", "Available"))
    ),
    ("velero.io", "Schedule"): Rule(
        (
            rules.flag("Suspended", "spec.paused"),
            rules.field("Degraded", "status.phase", "FailedValidation"),
            rules.field("Healthy", "status.phase", "Enabled"),
        )
    ),
    ("velero.io", "VolumeSnapshotLocation"): conditions.PASSIVE,
}
GLOBS: Globs = (("ceph.rook.io", "*", _CEPH),)
