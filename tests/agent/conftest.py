"""A real agent process between a real API server and the test end of the plane."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plane.run.devcluster import clusters
from tests.agent import kube as looking
from tests.agent import plane_end
from tests.support import waiting


class Agent:
    """A process; its log is JSON lines."""

    def __init__(self, process: subprocess.Popen[bytes], log: pathlib.Path) -> None:
        self._process = process
        self._log = log

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def terminate(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(waiting.PATIENCE_S)

    def running(self) -> bool:
        return self._process.poll() is None

    def log(self) -> str:
        return self._log.read_text()

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = (json.loads(line) for line in self.log().splitlines() if line.startswith("{"))
        return [line for line in lines if line["event"] == name]


Start = Callable[..., Agent]


@pytest.fixture(scope="session")
def shared_plane() -> Iterator[plane_end.PlaneEnd]:
    """This worker's plane for tests that break nothing."""
    with plane_end.PlaneEnd() as end:
        yield end


@pytest.fixture(scope="session")
def agent(shared_plane: plane_end.PlaneEnd, kubeconfig: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """This worker's agent, which has joined that plane."""
    folder = tmp_path_factory.mktemp("agent")
    begun = launch(shared_plane, kubeconfig, folder / "state", namespace=f"agent-{uuid.uuid4().hex[:12]}")
    shared_plane.wait(lambda: shared_plane.capabilities is not None, begun.log)
    yield begun
    end(begun)


@pytest.fixture
def plane() -> Iterator[plane_end.PlaneEnd]:
    """A plane of the test's own, to be broken; its agents come from `start`."""
    with plane_end.PlaneEnd() as one:
        yield one


@pytest.fixture
def kube(cluster: clusters.DevCluster, namespace: str) -> Iterator[looking.Kube]:
    found = looking.Kube(cluster.folder, cluster.server, namespace)
    yield found
    found.close()


@pytest.fixture
def app() -> str:
    return f"app-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def start(plane: plane_end.PlaneEnd, kubeconfig: pathlib.Path, namespace: str, tmp_path: pathlib.Path) -> Iterator[Start]:
    """Start an agent of `plane`; `through`, `state` and `token`: another kubeconfig, folder or join token; `env`: more variables."""
    started: list[Agent] = []

    def begin(
        *, through: pathlib.Path = kubeconfig, state: str = "state", token: str = plane_end.JOIN_TOKEN, env: dict[str, str] | None = None
    ) -> Agent:
        environment = {"PLANE_JOIN_TOKEN": token, **(env or {})}
        started.append(launch(plane, through, tmp_path / state, namespace=namespace, env=environment))
        return started[-1]

    yield begin
    for agent in started:
        end(agent)


def launch(
    plane: plane_end.PlaneEnd, kubeconfig: pathlib.Path, state: pathlib.Path, *more: str, namespace: str, env: dict[str, str] | None = None
) -> Agent:
    log = state.parent / f"agent-{uuid.uuid4().hex[:6]}.log"
    command = [sys.executable, "-m", "plane", "agent", "run", "--kubeconfig", str(kubeconfig)]
    environment = {**os.environ, "PLANE_JOIN_TOKEN": plane_end.JOIN_TOKEN, "PLANE_URL": plane.url, **(env or {})}
    with log.open("wb") as file:
        process = subprocess.Popen([*command, "--namespace", namespace, "--state-dir", str(state), *more], env=environment, stderr=file)
    return Agent(process, log)


def end(agent: Agent) -> None:
    agent.kill()
    assert "Traceback" not in agent.log(), agent.log()
