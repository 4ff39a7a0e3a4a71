"""The compose file names only what exists: no engine is needed to read it, none is at hand to run it."""

import re
from typing import Any

import pytest
import yaml
from click import testing

from plane import __main__ as program
from plane import config
from tests.packaging import charts

FILE = yaml.safe_load((charts.ROOT / "docker-compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = {name: one for name, one in SERVICES.items() if "build" in one}
# What the compose specification calls a service's, the part of it that we use.
SERVICE_KEYS = {
    "image", "build", "restart", "read_only", "cap_drop", "security_opt", "tmpfs", "shm_size", "environment", "entrypoint", "command",
    "volumes", "secrets", "ports", "depends_on", "healthcheck", "profiles", "stop_grace_period",
}  # fmt: skip
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
COMMANDS = {"server": "server", "worker": "worker", "agent": "agent run"}


def stages() -> set[str]:
    return set(re.findall(r"^FROM \S+ AS (\S+)$", (charts.ROOT / "Dockerfile").read_text(), re.MULTILINE))


def test_services_use_the_keys_of_the_specification() -> None:
    assert {name: set(one) - SERVICE_KEYS for name, one in SERVICES.items() if set(one) - SERVICE_KEYS} == {}


def test_the_parts_are_there() -> None:
    assert set(SERVICES) == {"postgres", "migrate", "server", "worker", "agent"}
    assert [name for name, one in SERVICES.items() if one.get("profiles")] == ["agent"]


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_built_from_a_stage_and_needs_no_rights(name: str) -> None:
    one = OURS[name]
    assert one["build"]["target"] in stages()
    assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_given_settings_that_exist(name: str) -> None:
    known = {"DATABASE_URL", "PASSWORD", "PLANE_JOIN_TOKEN"} | {f"PLANE_{field.upper()}" for field in config.Settings.__struct_fields__}
    assert set(OURS[name]["environment"]) <= known


@pytest.mark.parametrize("name", COMMANDS)
def test_a_service_runs_a_command_that_exists(name: str) -> None:
    words = OURS[name]["command"]
    assert " ".join(words).startswith(COMMANDS[name])
    asked = testing.CliRunner().invoke(program.main, [*COMMANDS[name].split(), "--help"])
    assert [word for word in words if word.startswith("--") and word not in asked.output] == []


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_refers_to_is_declared(name: str) -> None:
    one = SERVICES[name]
    assert {volume.partition(":")[0] for volume in one.get("volumes", ())} <= set(FILE["volumes"])
    assert set(one.get("secrets", ())) <= set(FILE["secrets"])
    assert set(one.get("depends_on", {})) <= set(SERVICES)
    assert {how["condition"] for how in one.get("depends_on", {}).values()} <= CONDITIONS


@pytest.mark.parametrize("name", OURS)
def test_files_are_read_from_secrets_that_the_service_has(name: str) -> None:
    one = OURS[name]
    texts = [*map(str, one["environment"].values()), *one.get("command", ())]
    named = {text.removeprefix("/run/secrets/") for text in texts if text.startswith("/run/secrets/")}
    assert named == set(one.get("secrets", ()))


def test_the_server_never_sees_the_owner_of_the_tables() -> None:
    assert [name for name, one in SERVICES.items() if "PLANE_OWNER_PASSWORD" in str(one)] == ["postgres", "migrate"]
