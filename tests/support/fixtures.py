"""The real things every test may use: development clusters shared by all workers of a run, a namespace of its own, a Git host.

A cluster is started by the first worker that asks and ends with the last process that holds it, however that process ends.
"""

import os
import pathlib
import uuid
from collections.abc import Iterator

import pytest

from plane.run import devgit
from plane.run.devcluster import api, clusters
from tests.support import faultproxy


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """One for all workers of this run; pytest removes it some runs later."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def cluster(run_folder: pathlib.Path) -> Iterator[clusters.DevCluster]:
    """The run's cluster; its objects outside one's own namespace are everybody's."""
    with clusters.share("main", nodes=2, prefix=run_folder / "clusters") as shared:
        yield shared


@pytest.fixture(scope="session")
def other_cluster(run_folder: pathlib.Path) -> Iterator[clusters.DevCluster]:
    """A second one, for what goes to several clusters; started only where a test asks for it."""
    with clusters.share("other", prefix=run_folder / "clusters") as shared:
        yield shared


@pytest.fixture(scope="session")
def kubeconfig(cluster: clusters.DevCluster) -> pathlib.Path:
    """Of the shared cluster's admin."""
    return cluster.kubeconfig


@pytest.fixture
def namespace(cluster: clusters.DevCluster) -> Iterator[str]:
    """A fresh namespace in the shared cluster; its deletion is asked for, not waited for."""
    admin = api.admin(cluster.folder, cluster.server)
    name = f"test-{uuid.uuid4().hex[:12]}"
    admin.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    admin.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture
def fault_proxy(cluster: clusters.DevCluster, tmp_path: pathlib.Path) -> Iterator[faultproxy.FaultProxy]:
    """A way to the shared cluster that can be made to fail."""
    with faultproxy.start(cluster.kubeconfig, tmp_path) as proxy:
        yield proxy


@pytest.fixture(scope="session", name="devgit")
def git_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[devgit.DevGit]:
    """This worker's Git host."""
    with devgit.start(tmp_path_factory.mktemp("devgit")) as host:
        yield host
