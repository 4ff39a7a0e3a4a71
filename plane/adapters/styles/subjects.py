"""A release's objects as the API server would hand them to admission: namespaces filled in, and what is known of those."""

from typing import Any

from plane.domain import kinds
from plane.domain.judging import gatekeeper, policy

Json = dict[str, Any]


def of(question: policy.PolicyInput) -> tuple[gatekeeper.Subject, ...]:
    """In the order of the manifests."""
    known = {_kind(name): served.namespaced for name, served in question.cluster.kinds.items()}
    known |= {(group, kind): inside for (group, kind), (_, inside) in _defined(question).items()}
    beside = {
        str(body["metadata"].get("name")): gatekeeper.labels_of(body)
        for body in question.manifests
        if (body.get("apiVersion"), body.get("kind")) == ("v1", "Namespace")
    }
    return tuple(_subject(body, known, beside, question.context.namespace) for body in question.manifests)


def plurals(question: policy.PolicyInput) -> dict[kinds.Kind, str]:
    """Resources of the kinds that the release itself defines."""
    return {kind: plural for kind, (plural, _) in _defined(question).items()}


def _defined(question: policy.PolicyInput) -> dict[kinds.Kind, tuple[str, bool]]:
    specs = [body.get("spec") or {} for body in question.manifests if body.get("kind") == "CustomResourceDefinition"]
    named = [(one, one["names"]) for one in specs if isinstance(one.get("names"), dict)]
    return {
        (str(one.get("group")), str(names.get("kind"))): (str(names.get("plural", "")), one.get("scope") != "Cluster")
        for one, names in named
    }


def _subject(body: Json, known: dict[kinds.Kind, bool], beside: dict[str, dict[str, str]], home: str) -> gatekeeper.Subject:
    group, kind = str(body.get("apiVersion", "")).rpartition("/")[0], str(body.get("kind", ""))
    meta = body.get("metadata") or {}
    namespace = str(meta.get("namespace") or home) if kinds.namespaced(group, kind, known) else ""
    placed = {**body, "metadata": {**meta, "namespace": namespace}} if namespace else body
    return gatekeeper.Subject(placed, group, kind, namespace, beside.get(namespace))


def _kind(name: str) -> kinds.Kind:
    group, _, kind = name.rpartition("/")
    return group, kind
