"""One whole installation per worker: Postgres, server, worker, two clusters with an agent each, a Git host; tests bring their own names."""

import contextlib
import os
import pathlib
import ssl
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import msgspec
import pytest

from plane.run import children, devgit, up
from plane.run.devcluster import clusters
from tests.support import waiting

LABELS = {"of": "the-tests"}
GRANT = {"selector": "of=the-tests", "namespaces": ["{tenant}-*"]}
CLAIM_WAIT_S = 5  # how long it takes an agent to see that a line is dead, less what it allows for slowness


class Tenant(msgspec.Struct, frozen=True):
    """Somebody's place: a tenant with one project and a token for it."""

    name: str
    token: str
    install: "Install"

    @property
    def place(self) -> str:
        """Path of the project."""
        return f"/api/v1/tenants/{self.name}/projects/main"

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - JSON
        """A request as this tenant's admin; paths that begin with / are whole."""
        where = path if path.startswith("/") else f"{self.place}/{path}"
        return self.install.http.request(method, where, headers={"Authorization": f"Bearer {self.token}"}, **more)

    def put(self, kind: str, collection: str, name: str, *, spec: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Create or change a document."""
        body = {"apiVersion": "gitops-plane.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec, **more}
        answer = self.call("PUT", f"{collection}/{name}", json=body)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def repository(self, name: str, files: dict[str, bytes], *, poll_s: int = 300) -> str:
        """A Git repository with files, known to the plane; gives its URL. Who asks for a refresh need not have it polled often."""
        git = self.install.git
        url = git.create(name, files)
        self.put("Repository", "repositories", name, spec={"url": url, "caPem": git.ca_file.read_text(), "pollInterval": poll_s})
        return url

    def app(self, name: str, url: str, **spec: Any) -> "App":  # noqa: ANN401 - JSON
        """An automated app of the folder of its name on cluster east, in the namespace of its name."""
        wanted = {
            "source": {"repoURL": url, "path": name, "targetRevision": "main"},
            "destination": {"cluster": "east", "namespace": f"{self.name}-{name}"},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}, "syncOptions": ["CreateNamespace=true"]},
        }
        self.put("App", "apps", name, spec=wanted | spec)
        return App(self, name)


class App(msgspec.Struct, frozen=True):
    """An app and what can be asked of it."""

    tenant: Tenant
    name: str

    @property
    def namespace(self) -> str:
        """Where it lives unless its test says otherwise."""
        return f"{self.tenant.name}-{self.name}"

    def call(self, method: str, verb: str = "", **more: Any) -> httpx.Response:  # noqa: ANN401 - JSON
        """A request about the app."""
        return self.tenant.call(method, f"apps/{self.name}/{verb}".rstrip("/"), **more)

    def status(self) -> dict[str, Any]:
        """The document's status."""
        return dict(self.call("GET").json()["status"])

    def explain(self) -> dict[str, Any]:
        """What `plane app explain` shows."""
        return dict(self.call("GET", "explain").json())

    def refresh(self) -> None:
        """Look at Git now."""
        assert self.call("POST", "refresh", json={}).is_success

    def healthy(self) -> None:
        """Wait until it is synced and healthy."""
        waiting.until(
            lambda: {"sync": "Synced", "health": "Healthy"}.items() <= self.status().items(),
            lambda: f"{self.status()} {self.explain()}",
        )

    def waits(self, code: str) -> str:
        """Wait until explain says this status; gives the sentence."""
        waiting.until(lambda: self.explain()["status"] == code, lambda: str(self.explain()))
        return str(self.explain()["sentence"])

    def says(self, code: str, *words: str) -> dict[str, Any]:
        """Wait until explain gives this status with all the words in its sentence; gives the whole explanation."""

        def said() -> bool:
            found.clear()
            found.update(self.explain())
            return found["status"] == code and all(word in found["sentence"] for word in words)

        found: dict[str, Any] = {}
        waiting.until(said, lambda: f"{code} {words} are not in {found}")
        return found


class Install(msgspec.Struct, frozen=True):
    """The running installation."""

    made: up.Installation
    family: children.Family
    http: httpx.Client
    git: devgit.DevGit
    clusters: dict[str, clusters.DevCluster]
    kubes: dict[str, httpx.Client]

    def tenant(self) -> Tenant:
        """A fresh tenant with a project, granted `NAME-*` on every cluster by its label."""
        name = f"t{uuid.uuid4().hex[:8]}"
        admin = Tenant(name, self.made.token_file.read_text(), self)
        admin.put("Tenant", "/api/v1/tenants", name, spec={}, metadata={"name": name, "labels": LABELS})
        admin.put("Project", f"/api/v1/tenants/{name}/projects", "main", spec={})
        assert admin.call("POST", f"/api/v1/tenants/{name}/people", json={"name": "admin"}).is_success
        assert admin.call("POST", f"/api/v1/tenants/{name}/people/admin/roles", json={"role": "admin"}).is_success
        token = admin.call("POST", f"/api/v1/tenants/{name}/people/admin/tokens", json={"name": "test", "days": 1})
        return Tenant(name, token.json()["token"], self)


def kube(cluster: clusters.DevCluster) -> httpx.Client:
    """The cluster's API as its admin."""
    tls = ssl.create_default_context(cafile=str(cluster.folder / "ca.crt"))
    tls.load_cert_chain(cluster.folder / "admin.crt", cluster.folder / "admin.key")
    return httpx.Client(base_url=cluster.server, verify=tls, timeout=waiting.PATIENCE_S)


def join(install: Install, name: str, at: clusters.DevCluster) -> children.Child:
    """A cluster by that name, whose agent works at `at`; its log is in the installation's folder."""
    admin = Tenant("", install.made.token_file.read_text(), install)
    admin.put("Cluster", "/api/v1/clusters", name, spec={"grants": [GRANT]})
    token = install.made.folder / f"{name}.join"
    token.write_text(admin.call("POST", f"/api/v1/clusters/{name}/join").raise_for_status().json()["token"])
    argv = [
        sys.executable,
        "-m",
        "plane",
        "agent",
        "run",
        "--plane",
        install.made.url,
        "--plane-ca",
        str(install.made.ca_file),
        "--join-token-file",
        str(token),
    ]
    argv += [
        "--kubeconfig",
        str(at.kubeconfig),
        "--namespace",
        f"plane-{uuid.uuid4().hex[:8]}",
        "--state-dir",
        str(install.made.folder / f"agent-{name}"),
        "--claim-wait",
        str(CLAIM_WAIT_S),
    ]
    return install.family.start(f"agent-{name}", argv, env=os.environ)


@contextlib.contextmanager
def installed(found: dict[str, clusters.DevCluster], *, environment: Mapping[str, str] = {}) -> Iterator[Install]:
    """Up for the block; not below pytest's folder, which every run shuts to the user that Postgres runs as."""
    settings = {"PLANE_GIT_NETWORKS": "127.0.0.0/8", **environment}
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plane-e2e-")))
        git = stack.enter_context(devgit.start(folder))
        made, family = stack.enter_context(up.running(folder / "plane", environment=settings))
        tls = ssl.create_default_context(cafile=str(made.ca_file))
        http = stack.enter_context(httpx.Client(base_url=made.url, verify=tls, timeout=waiting.PATIENCE_S))
        kubes = {name: stack.enter_context(kube(cluster)) for name, cluster in found.items()}
        running = Install(made, family, http, git, found, kubes)
        admin = Tenant("", made.token_file.read_text(), running)
        for name, cluster in found.items():
            join(running, name, cluster)
        waiting.until(lambda: all('"connected"' in admin.call("GET", f"/api/v1/clusters/{name}").text for name in found))
        yield running


@pytest.fixture(scope="session")
def install(cluster: clusters.DevCluster, other_cluster: clusters.DevCluster) -> Iterator[Install]:
    """Up for the worker's whole run."""
    with installed({"east": cluster, "west": other_cluster}) as running:
        yield running


@pytest.fixture
def tenant(install: Install) -> Tenant:
    """A fresh one."""
    return install.tenant()


def logs(install: Install) -> str:
    """All that the processes have logged."""
    return "".join(file.read_text(errors="replace") for file in pathlib.Path(install.made.folder / "logs").glob("*.log"))
