"""Strimzi, CloudNativePG, and other operators of stateful services.

Sources: strimzi-kafka-operator api/src/main/java (KafkaRebalanceState and the status classes), cloudnative-pg api/v1 (cluster_types,
backup_types, pooler_types), elastic.co (ECK API), rabbitmq.com/kubernetes, docs.percona.com, docs.confluent.io/operator,
atlasgo.io/integrations/kubernetes, and the status types of the others' repositories; compared with argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import conditions, rules
from plane.domain.health.health_rules.rules import Rule, Table

_KAFKA = Rule(
    (
        rules.when("Suspended", "ReconciliationPaused"),
        rules.when("Progressing", "NotReady", "True", "Creating"),
        rules.when("Degraded", "NotReady"),
        rules.when("Healthy", "Ready"),
    )
)
_KAFKA_KINDS = (
    "Kafka",
    "KafkaBridge",
    "KafkaConnect",
    "KafkaConnector",
    "KafkaMirrorMaker",
    "KafkaMirrorMaker2",
    "KafkaTopic",
    "KafkaUser",
)
_PODS = ("readyPods", "currentPods")
_SEEN = rules.equal("Healthy", "status.observedGeneration", "metadata.generation")  # moved by a success alone
# Argo CD's script calls most of what a running cluster goes through Degraded, and what needs a person Suspended: a new setting would fail
# a sync there, and a lost cluster would not.
_FAILED = (
    "Cluster cannot execute instance online upgrade due to missing architecture binary",
    "Cluster cannot proceed to reconciliation due to an error while interacting with plugins",
    "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
    "Cluster has incomplete or invalid image catalog",
    "Cluster is in an unrecoverable state, needs manual intervention",
    "Cluster is unrecoverable and needs manual intervention",
    "Failing over",
    "Not enough disk space",
    "Unable to create required cluster objects",
)
_CHANGING = (
    "Applying configuration",
    "Cluster upgrade delayed",
    "Creating a new replica",
    "Online upgrade in progress",
    "Primary instance is being restarted in-place",
    "Primary instance is being restarted without a switchover",
    "Promoting to primary cluster",
    "Setting up primary",
    "Switchover in progress",
    "Upgrading Postgres major version",
    "Upgrading cluster",
    "Waiting for the instances to become active",
)
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
_ZALANDO = "status.PostgresClusterStatus"
_CLICKHOUSE = conditions.words("status.status", "status.error", healthy="Completed", progressing="InProgress", degraded="*")
_ATLAS = Rule(
    (
        rules.when("Healthy", "Ready"),
        rules.when("Progressing", "Ready", "False|Unknown", "Reconciling", "GettingDevDB"),
        rules.when("Degraded", "Ready", "False|Unknown"),
    )
)
_MEDUSA = Rule(
    (
        rules.absent("Unknown", "status.observedGeneration"),
        rules.field("Degraded", "status.failed"),
        rules.field("Healthy", "status.finished"),
    ),
    untouched="Unknown",
)
_CONFLUENT = conditions.words("status.phase", healthy="RUNNING")
_TOPOLOGY = Rule(
    (rules.when("Healthy", "Ready", "True", "SuccessfulCreateOrUpdate"), rules.when("Degraded", "Ready", "False", "FailedCreateOrUpdate")),
    otherwise="Unknown",
    untouched="Unknown",
)
RULES: Table = {
    **{("kafka.strimzi.io", kind): _KAFKA for kind in _KAFKA_KINDS},
    ("access.strimzi.io", "KafkaAccess"): conditions.READY,
    ("core.strimzi.io", "StrimziPodSet"): Rule((rules.both(*(rules.equal("Healthy", f"status.{n}", "status.pods") for n in _PODS)),)),
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
        (
            rules.field("Degraded", "status.phase", "failed", "walArchivingFailing", "invalid backup definition"),
            rules.field("Healthy", "status.phase", "completed"),
        ),
        message="status.error",
    ),
    ("barmancloud.cnpg.io", "ObjectStore"): conditions.PASSIVE,
    ("postgresql.cnpg.io", "ClusterImageCatalog"): conditions.PASSIVE,
    ("postgresql.cnpg.io", "ImageCatalog"): conditions.PASSIVE,
    ("postgresql.cnpg.io", "Pooler"): Rule(
        (rules.below("Progressing", "status.instances", "spec.instances"), rules.field("Healthy", "status.instances"))
    ),
    ("postgresql.cnpg.io", "Cluster"): Rule(
        (
            rules.field("Suspended", "metadata.annotations.cnpg.io/reconciliationLoop", "disabled"),
            rules.when("Suspended", "cnpg.io/hibernation"),
            rules.when("Degraded", "cnpg.io/hibernation", "False|Unknown"),
            rules.absent("Progressing", "status.conditions"),
            rules.field("Degraded", "status.phase", *_FAILED),
            rules.field("Suspended", "status.phase", "Waiting for user action"),
            rules.field("Progressing", "status.phase", *_CHANGING),
            rules.field("Healthy", "status.phase", "Cluster in healthy state"),
        ),
        message="status.phaseReason",
        otherwise="Unknown",
    ),
    ("postgresql.cnpg.io", "Database"): Rule(
        (
            rules.both(rules.flag("Healthy", "status.applied"), _SEEN),
            # a first attempt often comes before the role that it needs
            rules.both(rules.flag("Degraded", "status.applied", value=False), _SEEN),
        )
    ),
    ("postgresql.cnpg.io", "Publication"): _APPLIED,
    ("postgresql.cnpg.io", "ScheduledBackup"): Rule(
        (rules.flag("Suspended", "spec.suspend"),),
        otherwise="Healthy",
        untouched="Healthy",
    ),
    ("postgresql.cnpg.io", "Subscription"): _APPLIED,
    ("kibana.k8s.elastic.co", "Kibana"): _SEARCH,
    ("rabbitmq.com", "RabbitmqCluster"): Rule(
        (
            rules.when("Degraded", "ReconcileSuccess", "False"),
            rules.when("Progressing", "ClusterAvailable", "Unknown"),
            rules.when("Progressing", "AllReplicasReady", "Unknown"),
            rules.both(rules.when("Suspended", "AllReplicasReady", "False", "ScaledToZero"), rules.field("Suspended", "spec.replicas", 0)),
            rules.when("Progressing", "ClusterAvailable", "False"),
            rules.when("Progressing", "AllReplicasReady", "False"),
            rules.both(rules.when("Healthy", "AllReplicasReady"), rules.when("Healthy", "ClusterAvailable")),
        )
    ),
    ("k8s.mariadb.com", "MariaDB"): Rule(
        (
            rules.flag("Suspended", "spec.suspend"),
            rules.when("Degraded", "*", "False", "Failed"),
            rules.when("Progressing", "*", "False"),
            rules.when("Healthy", "*"),
        )
    ),
    ("redis.redis.opstreelabs.in", "Redis"): conditions.PASSIVE,
    ("acid.zalan.do", "postgresql"): conditions.words(_ZALANDO, _ZALANDO, healthy="Running", progressing="Creating|Updating", degraded="*"),
    ("beat.k8s.elastic.co", "Beat"): Rule(
        (
            rules.field("Degraded", "status.health", "red"),
            rules.field("Healthy", "status.health", "green"),
            rules.field("Progressing", "status.health", "yellow"),
            rules.both(rules.field("Progressing", "status.expectedNodes"), rules.absent("Progressing", "status.health")),
        ),
        otherwise="Unknown",
        untouched="Unknown",
    ),
    ("logstash.k8s.elastic.co", "Logstash"): conditions.words("status.health", healthy="green", degraded="red"),
    ("cassandra.rook.io", "Cluster"): Rule(
        (rules.equal("Healthy", "status.racks.*.readyMembers", "status.racks.*.members"), rules.absent("Progressing", "status.racks"))
    ),
    ("clickhouse-keeper.altinity.com", "ClickHouseKeeperInstallation"): _CLICKHOUSE,
    ("clickhouse.altinity.com", "ClickHouseInstallation"): _CLICKHOUSE,
    ("db.atlasgo.io", "AtlasMigration"): _ATLAS,
    ("db.atlasgo.io", "AtlasSchema"): _ATLAS,
    ("k8s.mariadb.com", "Backup"): Rule(
        (
            rules.both(
                rules.when("Degraded", "*", "False", "CronJobScheduled"), rules.field("Degraded", "status.conditions.*.message", "Failed")
            ),
            rules.when("Progressing", "*", "False"),
            rules.when("Healthy", "*"),
        )
    ),
    ("k8s.mariadb.com", "SqlJob"): Rule(
        (rules.when("Healthy", "*", "True", "JobComplete"), rules.when("Degraded", "*", "True", "JobFailed"))
    ),
    ("mariadb.mmontes.io", "MariaDB"): Rule(
        (rules.when("Degraded", "*", "False", "Failed"), rules.when("Progressing", "*", "False"), rules.when("Healthy", "*"))
    ),
    ("medusa.k8ssandra.io", "MedusaBackupJob"): _MEDUSA,
    ("medusa.k8ssandra.io", "MedusaTask"): _MEDUSA,
    ("minio.min.io", "Tenant"): conditions.words(
        "status.currentState",
        "status.currentState",
        healthy="Initialized",
        degraded="Statefulset not controlled by operator|Another MinIO Tenant already exists in the namespace"
        "|Tenant credentials are not set properly|Different versions across MinIO Pools|Pool Decommissioning Not Allowed",
    ),
    ("kafka.banzaicloud.io", "KafkaCluster"): Rule(
        (
            rules.field("Progressing", "status.state", "ClusterRollingUpgrading", "ClusterReconciling"),
            rules.field("Degraded", "status.brokersState.*.configurationState", "ConfigOutOfSync"),
            rules.field(
                "Degraded",
                "status.brokersState.*.gracefulActionState.cruiseControlState",
                "GracefulUpscaleRequired",
                "GracefulDownscaleRequired",
            ),
            rules.both(
                rules.field("Healthy", "status.state", "ClusterRunning"),
                rules.field("Healthy", "status.cruiseControlTopicStatus", "CruiseControlTopicReady"),
            ),
        )
    ),
    **{
        ("platform.confluent.io", kind): _CONFLUENT
        for kind in ("Connect", "ControlCenter", "Kafka", "KsqlDB", "SchemaRegistry", "Zookeeper")
    },
    ("platform.confluent.io", "Connector"): Rule(
        (
            rules.field("Degraded", "status.state", "ERROR"),
            rules.field("Degraded", "status.failedTasksCount"),
            rules.both(rules.field("Healthy", "status.state", "CREATED"), rules.field("Healthy", "status.connectorState", "RUNNING")),
        )
    ),
    ("psmdb.percona.com", "PerconaServerMongoDB"): conditions.words(
        "status.state", healthy="ready", degraded="error", progressing="initializing|stopping", suspended="paused", otherwise="Unknown"
    ),
    ("pxc.percona.com", "PerconaXtraDBCluster"): conditions.words(
        "status.state", healthy="ready", degraded="error|stopping", progressing="initializing", unknown="paused", otherwise="Unknown"
    ),
    **{("rabbitmq.com", kind): _TOPOLOGY for kind in ("Binding", "Exchange", "Permission", "Policy", "Queue", "Shovel", "User", "Vhost")},
    ("solr.apache.org", "SolrCloud"): Rule(
        (rules.absent("Progressing", "status.solrNodes"), rules.flag("Healthy", "status.solrNodes.*.ready"))
    ),
    ("zookeeper.pravega.io", "ZookeeperCluster"): Rule(
        (rules.both(rules.equal("Healthy", "status.readyReplicas", "status.replicas"), rules.field("Healthy", "status.readyReplicas")),)
    ),
}
