"""What the parts of a development cluster know each other by, and the kubeconfig its user gets."""

import base64
import datetime as dt
import pathlib

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from plane.run import certificates

SERVICE_IP = "10.96.0.1"  # the first of parts.SERVICES: what pods call the API server
HOSTS = (
    "127.0.0.1",
    "localhost",
    SERVICE_IP,
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
ADMIN = "kubeconfig"
USERS = {
    # file → user, groups; the users of the parts are those Kubernetes' own roles are bound to
    ADMIN: ("admin", ("system:masters",)),
    "kube-controller-manager.kubeconfig": ("system:kube-controller-manager", ()),
    "kube-scheduler.kubeconfig": ("system:kube-scheduler", ()),
    "kwok.kubeconfig": ("kwok", ("system:masters",)),  # it plays every kubelet and ships no role
}


def write(folder: pathlib.Path, *, cluster: str, server: str, now: dt.datetime) -> None:
    """ca, apiserver and admin as `.crt` and `.key`, service-account.key and .pub, and a kubeconfig per user."""
    authority = certificates.Authority(f"devcluster {cluster}", now=now)
    authority.pair.write(folder, "ca")
    authority.server("kube-apiserver", HOSTS).write(folder, "apiserver")
    _write_service_account_keys(folder)
    for file, (user, groups) in USERS.items():
        pair = authority.client(user, groups)
        if file == ADMIN:
            pair.write(folder, "admin")
        config = kubeconfig(cluster, server=server, ca=authority.pair.certificate, user=_certificate_user(pair))
        certificates.write_private(folder / file, config.encode())


def kubeconfig(cluster: str, *, server: str, ca: bytes, user: dict[str, str]) -> str:
    """One cluster, one context, both named after the cluster; `user` as kubeconfig's `user` field has it."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": cluster, "cluster": {"server": server, "certificate-authority-data": _base64(ca)}}],
            "users": [{"name": "admin", "user": user}],
            "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": "admin"}}],
            "current-context": cluster,
        },
        sort_keys=False,
    )


def _certificate_user(pair: certificates.Pair) -> dict[str, str]:
    return {"client-certificate-data": _base64(pair.certificate), "client-key-data": _base64(pair.key)}


def _write_service_account_keys(folder: pathlib.Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificates.write_private(folder / "service-account.key", certificates.private_pem(key))
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "service-account.pub").write_bytes(public)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
