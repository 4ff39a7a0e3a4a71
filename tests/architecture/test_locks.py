import json
import pathlib
import re
import tomllib

import pytest

from tests.architecture import source

LOCKS = sorted((source.ROOT / "requirements").glob("*.txt"))
MODULES = sorted((source.ROOT / "tools").glob("*/go.mod"))
SERVER_ONLY = {"sqlalchemy", "alembic", "litestar", "gitpython", "hvac", "opa-python-client", "psycopg"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_a_lock_has_exact_versions_with_hashes_and_no_address(lock: pathlib.Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert "--index-url" not in text
    for requirement in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[a-z0-9.-]+==\S+", requirement), requirement
        assert "--hash=sha256:" in requirement, requirement


def test_npms_lock_has_integrity_and_no_address() -> None:
    text = (source.ROOT / "tools/oidc-provider/package-lock.json").read_text()
    assert "://" not in text
    packages = {name: one for name, one in json.loads(text)["packages"].items() if name}
    assert packages
    assert [name for name, one in packages.items() if not one["integrity"].startswith("sha512-")] == []


def test_an_agent_installs_without_the_servers_packages() -> None:
    locked = re.findall(r"^([a-z0-9.-]+)==", (source.ROOT / "requirements/agent.txt").read_text(), re.MULTILINE)
    assert SERVER_ONLY.isdisjoint(locked)


def test_every_program_is_proven_by_checksums() -> None:
    assert MODULES
    assert [module.parent.name for module in MODULES if not module.with_name("go.sum").is_file()] == []


def test_the_locks_carry_what_the_project_asks_for() -> None:
    project = tomllib.loads((source.ROOT / "pyproject.toml").read_text())["project"]
    asked = {*project["dependencies"], *(wanted for extra in project["optional-dependencies"].values() for wanted in extra)}
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (source.ROOT / "requirements/dev.txt").read_text(), re.MULTILINE))
    assert {re.split(r"[\[<>=~! ]", wanted)[0] for wanted in asked} <= locked
