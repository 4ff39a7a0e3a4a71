"""The images' Python steps, run as the Dockerfile runs them, on the files the Dockerfile copies, in a folder of their own."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from plane import config
from tests.packaging import charts

DOCKERFILE = (charts.ROOT / "Dockerfile").read_text()
SERVER_ONLY = ("sqlalchemy", "alembic", "litestar", "git", "hvac", "opa_client", "psycopg", "uvicorn")


def stage(name: str) -> str:
    """The instructions of one stage."""
    found = re.search(rf"^FROM \S+ AS {name}\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1]


def copied(name: str) -> list[str]:
    """What a stage takes from the checkout."""
    return [word.rstrip("/") for line in re.findall(r"^COPY ([^-].*)$", stage(name), re.MULTILINE) for word in line.split()[:-1]]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The build stage's folder."""
    folder = tmp_path_factory.mktemp("source")
    for name in copied("build"):
        to = folder / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if (charts.ROOT / name).is_dir():
            shutil.copytree(charts.ROOT / name, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(charts.ROOT / name, to)
    return folder


@pytest.fixture(scope="module")
def agent(source: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The agent image's /opt/plane."""
    target = tmp_path_factory.mktemp("opt") / "plane"
    path = f"{pathlib.Path(config.program('uv')).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "PYTHON": sys.executable, "UV_COMPILE_BYTECODE": "0"}  # of thousands of modules few run here
    done = subprocess.run(
        ["/bin/sh", "tools/image.sh", "agent", str(target)],
        cwd=source, env=os.environ | own, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target


def run(agent: pathlib.Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([agent / "bin" / words[0], *words[1:]], cwd=agent, capture_output=True, text=True, check=False, timeout=60)


def test_the_agents_image_runs_the_agent(agent: pathlib.Path) -> None:
    done = run(agent, "plane", "agent", "run", "--help")
    assert done.returncode == 0, done.stderr
    assert "--join-token-file" in done.stdout


@pytest.mark.parametrize("package", SERVER_ONLY)
def test_the_agents_image_holds_nothing_of_the_servers(agent: pathlib.Path, package: str) -> None:
    assert run(agent, "python", "-c", f"import {package}").returncode == 1


def test_the_agents_image_can_import_all_the_agent_needs(agent: pathlib.Path) -> None:
    done = run(agent, "python", "-c", "import plane.run.agent, plane.agent.active, plane.adapters.cluster.kube")
    assert done.returncode == 0, done.stderr


def test_what_is_copied_passes_the_ignore_file() -> None:
    allowed = {line[1:] for line in (charts.ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    wanted = {name.partition("/")[0] for stage_ in ("tools", "build") for name in copied(stage_)}
    assert wanted == allowed


@pytest.mark.parametrize("name", ["server", "agent"])
def test_an_image_ends_as_a_user_without_rights(name: str) -> None:
    users = re.findall(r"^USER (\S+)$", stage(name), re.MULTILINE)
    assert users[-1:] == ["65532:65532"]
