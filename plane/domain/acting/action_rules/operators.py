"""Operators with an action or two: KEDA, External Secrets, Capsule, Strimzi. Of Strimzi's, Argo CD has only that of StrimziPodSet."""

from plane.domain.acting.action_rules import rules
from plane.domain.acting.action_rules.rules import Body, Parameter, Rule, Table

_PAUSED = "autoscaling.keda.sh/paused"
_REPLICAS = "autoscaling.keda.sh/paused-replicas"
_SYNC = rules.annotate("force-sync", rules.NOW)
_ROLL = "strimzi.io/manual-rolling-update"
_REBALANCE = "strimzi.io/rebalance"


def _keda(body: Body) -> Body:
    return rules.mapping(body, "metadata", "annotations")


def _resting(body: Body) -> str:
    found = _keda(body)
    return "it is paused already" if found.get(_PAUSED) == "true" or _REPLICAS in found else ""


def _scaling(body: Body) -> str:
    return "" if _resting(body) else "it is not paused"


_SCALED = (
    Rule("pause", rules.annotate(_PAUSED, "true"), (_resting,)),
    Rule(
        "paused-replicas",
        rules.annotate(_REPLICAS, rules.Slot("replicas", text=True)),
        (rules.when("it is paused already", "metadata", "annotations", _PAUSED, value="true"),),
        (Parameter("replicas", "count", default="0", at=("metadata", "annotations", _REPLICAS)),),
    ),
    Rule("resume", {"metadata": {"annotations": {_PAUSED: None, _REPLICAS: None}}}, (_scaling,)),
)
_CORDON = rules.switch(("cordon", "uncordon"), "cordoned", "spec", "cordoned")
_TENANT_RESOURCE = (
    *_CORDON,
    Rule(
        "reconcile",
        rules.annotate("reconcile.projectcapsule.dev/requestedAt", rules.NOW),
        (rules.when("it is cordoned", "spec", "cordoned"),),
    ),
)
_KAFKA = rules.switch(("pause", "resume"), "paused", "metadata", "annotations", "strimzi.io/pause-reconciliation", values=("true", None))
RULES: Table = {
    ("capsule.clastix.io", "GlobalTenantResource"): _TENANT_RESOURCE,
    ("capsule.clastix.io", "Tenant"): _CORDON,
    ("capsule.clastix.io", "TenantResource"): _TENANT_RESOURCE,
    ("core.strimzi.io", "StrimziPodSet"): (
        Rule(
            "rolling-update",
            rules.annotate(_ROLL, "true"),
            (rules.when("it is being rolled already", "metadata", "annotations", _ROLL, value="true"),),
        ),
    ),
    ("external-secrets.io", "ExternalSecret"): (Rule("refresh", _SYNC),),
    ("external-secrets.io", "PushSecret"): (Rule("push", _SYNC),),
    ("kafka.strimzi.io", "Kafka"): _KAFKA,
    ("kafka.strimzi.io", "KafkaBridge"): _KAFKA,
    ("kafka.strimzi.io", "KafkaConnect"): _KAFKA,
    ("kafka.strimzi.io", "KafkaConnector"): (Rule("restart", rules.annotate("strimzi.io/restart", "true")),),
    ("kafka.strimzi.io", "KafkaMirrorMaker2"): _KAFKA,
    ("kafka.strimzi.io", "KafkaRebalance"): tuple(Rule(name, rules.annotate(_REBALANCE, name)) for name in ("approve", "refresh", "stop")),
    ("keda.sh", "ScaledJob"): rules.switch(("pause", "resume"), "paused", "metadata", "annotations", _PAUSED, values=("true", None)),
    ("keda.sh", "ScaledObject"): _SCALED,
}
