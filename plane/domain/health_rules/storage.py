"""Longhorn, Rook, Velero and volume snapshots."""

from plane.domain.health_rules import conditions
from plane.domain.health_rules.rules import Globs, Rule, Table, field, flag, when

_CEPH = Rule(
    (field("Degraded", "status.phase", "Failure", "Error"), field("Healthy", "status.phase", "Ready", "Connected", "Created")),
    message="status.info.failureReason",
)
_MOVED = Rule(
    (
        field("Degraded", "status.phase", "Failed", "FailedValidation", "PartiallyFailed", "FinalizingPartiallyFailed"),
        field("Degraded", "status.phase", "WaitingForPluginOperationsPartiallyFailed", "Canceled"),
        field("Healthy", "status.phase", "Completed"),
    ),
    message="status.failureReason",
)
_SNAPSHOT = Rule(
    (field("Degraded", "status.error.message"), flag("Healthy", "status.readyToUse")),
    message="status.error.message",
)
RULES: Table = {
    ("longhorn.io", "Backup"): Rule(
        (field("Degraded", "status.state", "Error"), field("Healthy", "status.state", "Completed")), message="status.error"
    ),
    ("longhorn.io", "BackupTarget"): Rule(
        (when("Degraded", "Unavailable"), flag("Healthy", "status.available")),
    ),
    ("longhorn.io", "EngineImage"): Rule(
        (field("Degraded", "status.state", "error", "incompatible"), field("Healthy", "status.state", "deployed"))
    ),
    ("longhorn.io", "Node"): Rule((when("Degraded", "Ready", "False"), when("Degraded", "Schedulable", "False"), when("Healthy", "Ready"))),
    ("longhorn.io", "RecurringJob"): conditions.PASSIVE,
    ("longhorn.io", "Setting"): conditions.PASSIVE,
    ("longhorn.io", "Volume"): Rule(
        (
            field("Degraded", "status.robustness", "degraded", "faulted"),
            field("Healthy", "status.robustness", "healthy"),
            field("Suspended", "status.state", "detached"),  # no workload uses it, so nobody knows how its replicas are
        ),
        message="status.robustness",
    ),
    ("ceph.rook.io", "CephCluster"): Rule(
        (
            field("Degraded", "status.phase", "Failure"),
            field("Degraded", "status.ceph.health", "HEALTH_ERR", "HEALTH_WARN"),
            field("Progressing", "status.phase", "Progressing", "Connecting", "Deleting"),
            field("Healthy", "status.ceph.health", "HEALTH_OK"),
        )
    ),
    **{("snapshot.storage.k8s.io", kind): _SNAPSHOT for kind in ("VolumeSnapshot", "VolumeSnapshotContent")},
    ("snapshot.storage.k8s.io", "VolumeSnapshotClass"): conditions.PASSIVE,
    **{("velero.io", kind): _MOVED for kind in ("Backup", "Restore", "PodVolumeBackup", "PodVolumeRestore", "DataUpload", "DataDownload")},
    ("velero.io", "BackupRepository"): Rule((field("Degraded", "status.phase", "NotReady"), field("Healthy", "status.phase", "Ready"))),
    ("velero.io", "BackupStorageLocation"): Rule(
        (field("Degraded", "status.phase", "Unavailable"), field("Healthy", "status.phase", "Available"))
    ),
    ("velero.io", "Schedule"): Rule(
        (
            flag("Suspended", "spec.paused"),
            field("Degraded", "status.phase", "FailedValidation"),
            field("Healthy", "status.phase", "Enabled"),
        )
    ),
    ("velero.io", "VolumeSnapshotLocation"): conditions.PASSIVE,
}
GLOBS: Globs = (("ceph.rook.io", "*", _CEPH),)
