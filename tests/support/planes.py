"""A plane on real parts in this process, and rows to work on; for tests of use cases that need more than a database."""

import concurrent.futures
import datetime as dt
import ipaddress
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ed25519

from plane import config
from plane.adapters import clock, reach
from plane.adapters.git import mirrors, transport
from plane.adapters.judging import opa, opa_files
from plane.adapters.registry import repository
from plane.adapters.renderers import helm, kustomize, plain
from plane.adapters.sandbox import pool
from plane.adapters.scripting import scripts
from plane.adapters.secrets import envelope, passwords, sealing, sops, vault
from plane.adapters.trusting import log_keys, oidc, signer
from plane.domain import access, tenancy
from plane.domain.rendering import secrets
from plane.run import devgit
from plane.server import claim, context, keys
from plane.server.auditing import seal_log
from plane.server.delivering import deliver, poll
from plane.store import engine
from plane.store.delivering import leases
from plane.store.layout import tables
from plane.wire import agent as wire
from plane.wire import signing
from tests.support import waiting


class MovableClock(clock.SystemClock):
    """The machine's clock, moved by what a test says."""

    def __init__(self) -> None:
        self.ahead = dt.timedelta()

    def now(self) -> dt.datetime:
        """UTC."""
        return super().now() + self.ahead


@pytest.fixture(scope="session")
def _parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("plane")
    signer.create(folder / "signing.pem")
    renderers = {
        one.name: one for one in (helm.Helm(config.program("helm")), kustomize.Kustomize(config.program("kustomize")), plain.Plain())
    }
    with pool.Pool(renderers, size=2) as sandbox:
        policies = opa.Opa(config.program("opa"), opa_files.shipped().base)
        git = mirrors.Mirrors(folder / "mirrors", transport=transport.Transport(allowed=(ipaddress.ip_network("127.0.0.0/8"),)))
        own = scripts.Scripts()
        yield {
            "git": git,
            "registry": repository.opener(reach.Reach((ipaddress.ip_network("127.0.0.0/8"),), what="registry")),
            "renderers": renderers,
            "pool": sandbox,
            "sops": sops.Sops(config.program("sops")),
            "vault": vault.Vault(vault.Sessions()),
            "sealer": sealing.Hpke(),
            "envelope": envelope.Local(secrets.Secret(os.urandom(32))),
            "policies": policies,
            "scripts": own,
            "signer": signer.FileSigner(folder / "signing.pem"),
            "log_signer": log_keys.Files([signer.FileSigner(folder / "signing.pem")]),
            "plane_id": "test-plane",
            "identities": oidc.Oidc((ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))),
            "passwords": passwords.Argon2(memory_kib=64, rounds=1),  # cheap: tests try many
        }
        own.close()
        policies.close()
        git.close()


@pytest.fixture
def plane(database: engine.Engine, _parts: dict[str, Any]) -> context.Plane:
    """On empty tables."""
    return context.Plane(engine=database, clock=MovableClock(), **_parts)


class Fleet(msgspec.Struct, frozen=True):
    """One tenant with a project on one cluster with an enrolled agent whose keys the test holds."""

    plane: context.Plane
    owner: sa.Engine
    tenant: str
    project: str
    cluster: str
    agent: str
    sealing: sealing.KeyPair
    signing: ed25519.Ed25519PrivateKey
    names: dict[str, str]

    @property
    def scope(self) -> access.Scope:
        """The tenant's."""
        return access.Scope(self.tenant, access.SYSTEM)

    @property
    def identity(self) -> claim.AgentIdentity:
        """The agent's."""
        return claim.AgentIdentity(self.agent, self.cluster, sealing.key_id(self.sealing.public))

    def add(self, table: sa.Table, **values: Any) -> str:  # noqa: ANN401 - a column takes what its type takes
        """A row with a fresh id."""
        values.setdefault("id", self.plane.clock.id())
        with self.owner.begin() as tx:
            tx.execute(sa.insert(table).values(values))
        return str(values["id"])

    def knows(self, *words: str) -> None:
        """What the cluster's agent is able to."""
        packed = msgspec.msgpack.encode(wire.Capabilities(kube_version="v1.36.3", agent_version="0.1.0", knows=words))
        with self.owner.begin() as tx:
            tx.execute(sa.update(tables.clusters).values(capabilities=packed))

    def repository(self, git: devgit.DevGit, name: str) -> str:
        """A repository of the project, due for its first look."""
        url = git.url_of(name)
        spec = {"url": url, "caPem": git.ca_file.read_text()}
        return self.add(
            tables.repositories,
            tenant_id=self.tenant,
            project_id=self.project,
            name=name,
            spec=spec,
            url=tenancy.normal_url(url),
            poll_at=self.plane.clock.now(),
        )

    def app(self, name: str, repository: str, url: str, **spec: object) -> str:
        """An automated app of a folder of its own name."""
        wanted = {
            "source": {"repoURL": url, "path": name, "targetRevision": "main"},
            "destination": {"cluster": "east", "namespace": "shop"},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
        }
        row = {
            "tenant_id": self.tenant,
            "project_id": self.project,
            "name": name,
            "spec": wanted | spec,
            "cluster_id": self.cluster,
            "repository_id": repository,
        }
        return self.add(tables.apps, **row, due_at=self.plane.clock.now())

    def work(self) -> int:
        """What a worker does until nothing is due; returns how many tasks were queued."""
        tasks = 0
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            while True:
                repositories = self.lease(leases.repositories)
                for one in repositories:
                    poll.poll(self.plane, one)
                apps = self.lease(leases.apps)
                if apps:
                    tasks += deliver.deliver(self.plane, apps, side_by_side=threads.map)
                if not apps and not repositories:
                    return tasks

    def lease(self, due: Callable[[engine.Tx, leases.Ask], tuple[leases.Leased, ...]]) -> tuple[leases.Leased, ...]:
        """What is due, as a worker takes it."""
        with engine.dispatch(self.plane.engine) as tx:
            return due(tx, leases.Ask(self.plane.clock.id(), self.plane.clock.now(), limit=100, each=100))

    def claim(self, *, running: tuple[str, ...] = ()) -> list[tuple[wire.Task, wire.ReleaseBundle | None]]:
        """What the agent is given now, verified."""
        given = claim.claim(self.plane, self.identity, wire.Claim(running=running), 64)
        return [(signing.open_task(one, self.plane.signer.public_key()), one.bundle) for one in given.tasks]

    def row(self, query: str, **values: object) -> engine.Row:
        """One row, seen by the owner."""
        with self.owner.begin() as tx:
            return tx.execute(sa.text(query), values).one()


@pytest.fixture
def fleet(plane: context.Plane, owner: sa.Engine) -> Fleet:
    """A fleet of one."""
    return make_fleet(plane, owner, tenant="acme", project="shop", cluster="east")


def make_fleet(plane: context.Plane, owner: sa.Engine, *, tenant: str, project: str, cluster: str) -> Fleet:
    """Tenant, project, cluster and agent by these names."""
    ids = {name: plane.clock.id() for name in ("tenant", "project", "cluster", "agent")}
    pair, key = sealing.new_key_pair(), ed25519.Ed25519PrivateKey.generate()
    wrapped = plane.envelope.wrap(
        secrets.Secret(os.urandom(32)), context=keys.wrapping_context(ids["tenant"], ids["project"], "fingerprint-key")
    )
    with owner.begin() as tx:
        tx.execute(sa.insert(tables.tenants).values(id=ids["tenant"], name=tenant))
        tx.execute(sa.insert(tables.projects).values(tenant_id=ids["tenant"], id=ids["project"], name=project, fingerprint_key=wrapped))
        tx.execute(sa.insert(tables.clusters).values(id=ids["cluster"], name=cluster))
        grant = {"tenant_id": ids["tenant"], "cluster_id": ids["cluster"], "namespaces": ["shop", f"{tenant}-*"], "cluster_kinds": []}
        tx.execute(sa.insert(tables.cluster_grants).values(grant))
        public = {
            "signing_key": key.public_key().public_bytes_raw(),
            "sealing_key": pair.public,
            "sealing_key_id": sealing.key_id(pair.public),
        }
        tx.execute(sa.insert(tables.agents).values(id=ids["agent"], cluster_id=ids["cluster"], last_seen_at=plane.clock.now(), **public))
    return Fleet(
        plane, owner, ids["tenant"], ids["project"], ids["cluster"], ids["agent"], pair, key, {"tenant": tenant, "project": project}
    )


def seal(plane: context.Plane, owner: sa.Engine) -> None:
    """Give every event its place. Transactions still open anywhere on the server, other workers' too, hold the sealer back for a moment."""
    left = sa.text("SELECT count(*) FROM audit_events e WHERE NOT EXISTS (SELECT 1 FROM audit_leaves l WHERE l.event_id = e.id)")

    def sealed() -> bool:
        seal_log.seal_all(plane)
        with owner.begin() as tx:
            return not tx.execute(left).scalar_one()

    waiting.until(sealed, lambda: "events without a place in the log")


def files(folder: str, **contents: str) -> dict[str, bytes]:
    """Files of one folder, by stem."""
    return {str(pathlib.PurePosixPath(folder) / f"{stem}.yaml"): text.encode() for stem, text in contents.items()}
