"""Longhorn, Rook, Velero and volume snapshots.

Sources: longhorn-manager k8s/pkg/apis/longhorn/v1beta2 (volume, backup, backingimage, setting, systembackup, systemrestore); rook
pkg/apis/ceph.rook.io/v1 (types) and pkg/operator/k8sutil (status); velero pkg/apis/velero/v1 (backup_types, pod_volume_backup_types) and
v2alpha1 (data_upload_types); kubernetes-csi.github.io; compared with argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import conditions, rules
from plane.domain.health.health_rules.rules import Globs, Rule, Table

_CEPH = Rule(
    (
        rules.field("Degraded", "status.phase", "Failure", "Error", "Failed", "ReconcileFailed"),
        rules.field("Healthy", "status.phase", "Ready", "Connected", "Created"),
    ),
    message="status.info.failureReason",
)
_MOVED = Rule(
    (
        rules.field("Degraded", "status.phase", "Failed", "FailedValidation", "PartiallyFailed", "FinalizingPartiallyFailed"),
        rules.field("Degraded", "status.phase", "WaitingForPluginOperationsPartiallyFailed"),
        rules.field("Healthy", "status.phase", "Completed"),
    ),
    message="status.failureReason|status.validationErrors.*",
)
_COPIED = conditions.words("status.phase", degraded="Failed|Canceled", healthy="Completed")
_SNAPSHOT = Rule(
    (rules.field("Degraded", "status.error.message"), rules.flag("Healthy", "status.readyToUse")),
    message="status.error.message",
)
_SAVED = conditions.words("status.state", "status.error", degraded="Error", unknown="Unknown", healthy="Completed")
RULES: Table = {
    ("longhorn.io", "Backup"): _SAVED,
    ("longhorn.io", "BackingImage"): Rule(
        (
            rules.field("Degraded", "status.diskFileStatusMap.*.state", "failed", "failed-and-cleanup"),
            rules.field("Unknown", "status.diskFileStatusMap.*.state", "unknown"),
            rules.field("Healthy", "status.diskFileStatusMap.*.state", "ready"),
        ),
        message="status.diskFileStatusMap.*.message",
    ),
    ("longhorn.io", "BackupBackingImage"): _SAVED,
    ("longhorn.io", "BackupTarget"): Rule(
        (
            rules.absent("Healthy", "spec.backupTargetURL"),  # nobody wants backups, and it says Unavailable for ever
            rules.when("Degraded", "Unavailable"),
            rules.flag("Healthy", "status.available"),
        )
    ),
    ("longhorn.io", "EngineImage"): Rule(
        (rules.field("Degraded", "status.state", "error", "incompatible"), rules.field("Healthy", "status.state", "deployed"))
    ),
    ("longhorn.io", "Node"): Rule(
        (rules.when("Degraded", "Ready", "False"), rules.when("Degraded", "Schedulable", "False"), rules.when("Healthy", "Ready"))
    ),
    ("longhorn.io", "RecurringJob"): conditions.PASSIVE,
    ("longhorn.io", "Setting"): Rule((rules.flag("Progressing", "status.applied", value=False),), otherwise="Healthy", untouched="Healthy"),
    ("longhorn.io", "Snapshot"): Rule(
        (rules.field("Degraded", "status.error"), rules.flag("Healthy", "status.readyToUse")), message="status.error"
    ),
    ("longhorn.io", "SystemBackup"): Rule(
        (rules.field("Degraded", "status.state", "Error"), rules.field("Healthy", "status.state", "Ready")), message="status.state"
    ),
    ("longhorn.io", "SystemRestore"): Rule(
        (rules.field("Degraded", "status.state", "Error"), rules.field("Healthy", "status.state", "Completed")), message="status.state"
    ),
    ("longhorn.io", "Volume"): Rule(
        (
            rules.field("Degraded", "status.robustness", "faulted"),
            rules.when("Degraded", "Scheduled", "False", "ReplicaSchedulingFailure"),
            rules.when("Degraded", "Restore", "False", "RestoreFailure"),
            rules.field("Degraded", "status.cloneStatus.state", "failed"),
            rules.field("Healthy", "status.state", "detached"),  # no workload uses it
            rules.both(rules.field("Healthy", "status.robustness", "healthy"), rules.field("Healthy", "status.state", "attached")),
        ),
        message="status.robustness",
    ),
    ("ceph.rook.io", "CephCluster"): Rule(
        (
            rules.field("Degraded", "status.phase", "Failure"),
            rules.field("Degraded", "status.state", "Error"),
            rules.field("Degraded", "status.ceph.health", "HEALTH_ERR", "HEALTH_WARN"),
            rules.field("Healthy", "status.ceph.health", "HEALTH_OK"),
        )
    ),
    ("objectbucket.io", "ObjectBucketClaim"): conditions.words("status.phase", healthy="Bound", degraded="Failed"),
    **{("snapshot.storage.k8s.io", kind): _SNAPSHOT for kind in ("VolumeSnapshot", "VolumeSnapshotContent")},
    ("snapshot.storage.k8s.io", "VolumeSnapshotClass"): conditions.PASSIVE,
    **{("velero.io", kind): _MOVED for kind in ("Backup", "Restore")},
    **{("velero.io", kind): _COPIED for kind in ("PodVolumeBackup", "PodVolumeRestore", "DataUpload", "DataDownload")},
    ("velero.io", "BackupRepository"): Rule(
        (rules.field("Degraded", "status.phase", "NotReady"), rules.field("Healthy", "status.phase", "Ready"))
    ),
    ("velero.io", "BackupStorageLocation"): Rule(
        (rules.field("Degraded", "status.phase", "Unavailable"), rules.field("Healthy", "status.phase", "Available"))
    ),
    ("velero.io", "DeleteBackupRequest"): Rule(
        (
            rules.both(rules.field("Degraded", "status.phase", "Processed"), rules.field("Degraded", "status.errors")),
            rules.field("Healthy", "status.phase", "Processed"),
        ),
        message="status.errors.*",
    ),
    ("velero.io", "ServerStatusRequest"): conditions.words("status.phase", "status.phase", healthy="Processed"),
    ("velero.io", "Schedule"): Rule(
        (
            rules.flag("Suspended", "spec.paused"),
            rules.field("Degraded", "status.phase", "FailedValidation"),
            rules.field("Healthy", "status.phase", "Enabled"),
        ),
        message="status.validationErrors.*",
    ),
    ("velero.io", "VolumeSnapshotLocation"): conditions.PASSIVE,
}
GLOBS: Globs = (("ceph.rook.io", "*", _CEPH),)
