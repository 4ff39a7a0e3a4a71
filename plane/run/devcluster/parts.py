"""The programs of a development cluster and the flags that make them one. Paths are relative to the cluster's folder, where they run."""

from collections.abc import Mapping

ETCD_SOCKET = "unix://etcd.sock"  # a file in the folder: no port, and only its owner can reach it
SERVICES = "10.96.0.0/12"
PODS = "10.128.0.1/9"
NODE = "10.64.0.1"  # the address all nodes say they have
KUBELET = "127.0.0.1"  # where kwok serves what a kubelet does, such as logs; the nodes' external address in stages.yaml
NODE_LEASE_S = 40  # as kubelets have it; without a lease the controller manager takes a node for dead after 50 s
# Client-side limits keep a real fleet from flooding its API server; here they would only make 1,000 Deployments wait.
QPS = {"kube-api-qps": 2000, "kube-api-burst": 4000}
WORKERS = 20  # per controller; the default of 5 is for many controllers on one big API server
SYNCS = (
    "deployment",
    "replicaset",
    "statefulset",
    "daemonset",
    "job",
    "cron-job",
    "namespace",
    "endpoint",
    "service-endpoint",
    "serviceaccount-token",
)

Flags = Mapping[str, object]


def etcd() -> Flags:
    """Durable enough for a cluster that is thrown away: no fsync."""
    return {
        "name": "etcd",
        "data-dir": "etcd",
        "unsafe-no-fsync": True,
        "listen-client-urls": ETCD_SOCKET,
        "advertise-client-urls": ETCD_SOCKET,
        "listen-peer-urls": "unix://etcd-peer.sock",
        "initial-advertise-peer-urls": "unix://etcd-peer.sock",
        "initial-cluster": "etcd=unix://etcd-peer.sock",
        "heartbeat-interval": 50,  # ms, with the next: a single member elects itself at once instead of after a second
        "election-timeout": 500,
        "quota-backend-bytes": 4 << 30,
        "log-level": "warn",
    }


def apiserver(port: int, *, audit_log: bool) -> Flags:
    """RBAC and the default admission plug-ins (ServiceAccount among them); no limit on requests, so that what is measured is the work."""
    audit = {"audit-log-path": "audit.log", "audit-policy-file": "audit-policy.yaml"} if audit_log else {}
    return {
        "etcd-servers": ETCD_SOCKET,
        "bind-address": "127.0.0.1",
        "secure-port": port,
        "advertise-address": "127.0.0.1",
        "endpoint-reconciler-type": "none",  # Kubernetes refuses loopback addresses in endpoints
        "tls-cert-file": "apiserver.crt",
        "tls-private-key-file": "apiserver.key",
        "client-ca-file": "ca.crt",
        "service-account-key-file": "service-account.pub",
        "service-account-signing-key-file": "service-account.key",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-cluster-ip-range": SERVICES,
        "kubelet-preferred-address-types": "ExternalIP",
        "authorization-mode": "Node,RBAC",
        "allow-privileged": True,
        "enable-priority-and-fairness": False,
        "max-requests-inflight": 0,
        "max-mutating-requests-inflight": 0,
        "delete-collection-workers": 8,
        "profiling": False,
        **audit,
    }


def controller_manager() -> Flags:
    """Every default controller, each with its own service account."""
    return {
        "kubeconfig": "kube-controller-manager.kubeconfig",
        "secure-port": 0,
        "leader-elect": False,
        "use-service-account-credentials": True,
        "service-account-private-key-file": "service-account.key",
        "root-ca-file": "ca.crt",
        "cluster-signing-cert-file": "ca.crt",
        "cluster-signing-key-file": "ca.key",
        "flex-volume-plugin-dir": "flexvolume",  # it makes this folder; by default one of the system's
        **{f"concurrent-{controller}-syncs": WORKERS for controller in SYNCS},
        **QPS,
    }


def scheduler() -> Flags:
    """The default profile."""
    return {"kubeconfig": "kube-scheduler.kubeconfig", "secure-port": 0, "leader-elect": False, **QPS}


def kwok(port: int) -> Flags:
    """Plays the kubelet of every node by the stages in the folder; `port` is all of theirs."""
    return {
        "kubeconfig": "kwok.kubeconfig",
        "config": "stages.yaml",
        "manage-all-nodes": True,
        "node-lease-duration-seconds": NODE_LEASE_S,
        "cidr": PODS,
        "node-ip": NODE,
        "node-port": port,
        "server-address": f"{KUBELET}:{port}",
        "tls-cert-file": "apiserver.crt",
        "tls-private-key-file": "apiserver.key",
        "v": "WARN",  # it would tell of every pod it moves
    }


def arguments(flags: Flags) -> list[str]:
    """`--name=value`, booleans as Go's flag packages read them."""
    return [f"--{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in flags.items()]
