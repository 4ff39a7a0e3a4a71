"""Strimzi, CloudNativePG, and other operators of stateful services."""

from plane.domain.health_rules import conditions
from plane.domain.health_rules.rules import Rule, Table, field, flag, when

_KAFKA = Rule(
    (
        when("Suspended", "ReconciliationPaused"),
        when("Progressing", "NotReady", "True", "Creating"),
        when("Degraded", "NotReady"),
        when("Healthy", "Ready"),
    )
)
_KAFKA_KINDS = ("Kafka", "KafkaBridge", "KafkaConnect", "KafkaConnector", "KafkaMirrorMaker2", "KafkaTopic", "KafkaUser")
_APPLIED = Rule((flag("Degraded", "status.applied", value=False), flag("Healthy", "status.applied")))
_SEARCH = Rule(
    (
        field("Degraded", "status.health", "red"),
        field("Progressing", "status.health", "yellow", "unknown"),
        field("Degraded", "status.phase", "Invalid", "Stalled"),
        field("Healthy", "status.health", "green"),
    ),
    message="status.phase",
)
RULES: Table = {
    **{("kafka.strimzi.io", kind): _KAFKA for kind in _KAFKA_KINDS},
    ("kafka.strimzi.io", "KafkaNodePool"): Rule((when("Degraded", "NotReady"),), otherwise="Healthy"),
    ("kafka.strimzi.io", "KafkaRebalance"): Rule(
        (
            when("Suspended", "ReconciliationPaused"),
            when("Suspended", "Stopped"),
            when("Suspended", "ProposalReady"),  # waits for a person's approval
            when("Degraded", "NotReady"),
            when("Healthy", "Ready"),
        )
    ),
    ("postgresql.cnpg.io", "Backup"): Rule(
        (field("Degraded", "status.phase", "failed", "walArchivingFailing"), field("Healthy", "status.phase", "completed")),
        message="status.error",
    ),
    ("postgresql.cnpg.io", "Cluster"): Rule(
        (
            when("Suspended", "cnpg.io/hibernation"),
            field(
                "Degraded",
                "status.phase",
                "Cluster cannot execute instance online upgrade due to missing architecture binary",
                "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
                "Cluster has incomplete or invalid image catalog",
                "Cluster is unrecoverable and needs manual intervention",
                "Not enough disk space",
                "Unable to create required cluster objects",
            ),
            field("Healthy", "status.phase", "Cluster in healthy state"),
        ),
        message="status.phaseReason",
    ),
    ("postgresql.cnpg.io", "Database"): _APPLIED,
    ("postgresql.cnpg.io", "Publication"): _APPLIED,
    ("postgresql.cnpg.io", "ScheduledBackup"): Rule(
        (flag("Suspended", "spec.suspend"),),
        otherwise="Healthy",
        untouched="Healthy",
    ),
    ("postgresql.cnpg.io", "Subscription"): _APPLIED,
    ("elasticsearch.k8s.elastic.co", "Elasticsearch"): _SEARCH,
    ("kibana.k8s.elastic.co", "Kibana"): _SEARCH,
    ("rabbitmq.com", "RabbitmqCluster"): Rule(
        (
            when("Degraded", "ReconcileSuccess", "False"),
            when("Progressing", "AllReplicasReady", "False"),
            when("Healthy", "AllReplicasReady"),
        )
    ),
    ("k8s.mariadb.com", "MariaDB"): Rule(
        (flag("Suspended", "spec.suspend"), when("Progressing", "Ready", "False"), when("Healthy", "Ready")),
    ),
    ("redis.redis.opstreelabs.in", "Redis"): conditions.PASSIVE,
}
