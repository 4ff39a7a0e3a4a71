"""Strimzi, CloudNativePG, and other operators of stateful services."""

from plane.domain.health_rules import conditions, rules
from plane.domain.health_rules.rules import Rule, Table

_KAFKA = Rule(
    (
        rules.when("Suspended", "ReconciliationPaused"),
        rules.when("Progressing", "NotReady", "True", "Creating"),
        rules.when("Degraded", "NotReady"),
        rules.when("Healthy", "Ready"),
    )
)
_KAFKA_KINDS = ("Kafka", "KafkaBridge", "KafkaConnect", "KafkaConnector", "KafkaMirrorMaker2", "KafkaTopic", "KafkaUser")
_APPLIED = Rule((rules.flag("Degraded", "status.applied", value=False), rules.flag("Healthy", "status.applied")))
_SEARCH = Rule(
    (
        rules.field("Degraded", "status.health", "red"),
        rules.field("Progressing", "status.health", "yellow", "unknown"),
        rules.field("Degraded", "status.phase", "Invalid", "Stalled"),
        rules.field("Healthy", "status.health", "green"),
    ),
    message="status.phase",
)
RULES: Table = {
    **{("kafka.strimzi.io", kind): _KAFKA for kind in _KAFKA_KINDS},
    ("kafka.strimzi.io", "KafkaNodePool"): Rule((rules.when("Degraded", "NotReady"),), otherwise="Healthy"),
    ("kafka.strimzi.io", "KafkaRebalance"): Rule(
        (
            rules.when("Suspended", "ReconciliationPaused"),
            rules.when("Suspended", "Stopped"),
            rules.when("Suspended", "ProposalReady"),  # waits for a person's approval
            rules.when("Degraded", "NotReady"),
            rules.when("Healthy", "Ready"),
        )
    ),
    ("postgresql.cnpg.io", "Backup"): Rule(
        (rules.field("Degraded", "status.phase", "failed", "walArchivingFailing"), rules.field("Healthy", "status.phase", "completed")),
        message="status.error",
    ),
    ("postgresql.cnpg.io", "Cluster"): Rule(
        (
            rules.when("Suspended", "cnpg.io/hibernation"),
            rules.field(
                "Degraded",
                "status.phase",
                "Cluster cannot execute instance online upgrade due to missing architecture binary",
                "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
                "Cluster has incomplete or invalid image catalog",
                "Cluster is unrecoverable and needs manual intervention",
                "Not enough disk space",
                "Unable to create required cluster objects",
            ),
            rules.field("Healthy", "status.phase", "Cluster in healthy state"),
        ),
        message="status.phaseReason",
    ),
    ("postgresql.cnpg.io", "Database"): _APPLIED,
    ("postgresql.cnpg.io", "Publication"): _APPLIED,
    ("postgresql.cnpg.io", "ScheduledBackup"): Rule(
        (rules.flag("Suspended", "spec.suspend"),),
        otherwise="Healthy",
        untouched="Healthy",
    ),
    ("postgresql.cnpg.io", "Subscription"): _APPLIED,
    ("elasticsearch.k8s.elastic.co", "Elasticsearch"): _SEARCH,
    ("kibana.k8s.elastic.co", "Kibana"): _SEARCH,
    ("rabbitmq.com", "RabbitmqCluster"): Rule(
        (
            rules.when("Degraded", "ReconcileSuccess", "False"),
            rules.when("Progressing", "AllReplicasReady", "False"),
            rules.when("Healthy", "AllReplicasReady"),
        )
    ),
    ("k8s.mariadb.com", "MariaDB"): Rule(
        (rules.flag("Suspended", "spec.suspend"), rules.when("Progressing", "Ready", "False"), rules.when("Healthy", "Ready")),
    ),
    ("redis.redis.opstreelabs.in", "Redis"): conditions.PASSIVE,
}
