"""`plane try actions`: what can be done to objects in files, by the plane's own rules or a folder of scripts."""

import json
import pathlib

import pytest
from click import testing

from plane.cli.trying import trial

WEB = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {replicas: 2, paused: true}\n"
DISCOVERY = 'return {hello = {params = {{name = "to", default = "you"}}}}'
HELLO = 'obj.metadata.labels = {hello = actionParams["to"]} return obj'


@pytest.fixture
def web(tmp_path: pathlib.Path) -> str:
    (tmp_path / "web.yaml").write_text(WEB)
    return str(tmp_path / "web.yaml")


@pytest.fixture
def scripts(tmp_path: pathlib.Path) -> str:
    place = tmp_path / "scripts" / "apps" / "Deployment" / "actions"
    (place / "hello").mkdir(parents=True)
    (place / "discovery.lua").write_text(DISCOVERY)
    (place / "hello" / "action.lua").write_text(HELLO)
    return str(tmp_path / "scripts")


def run(*words: str, code: int = 0) -> testing.Result:
    found = testing.CliRunner().invoke(trial.group, ["actions", *words])
    assert found.exit_code == code, found.output
    return found


def test_actions_are_listed_with_what_stands_against_them(web: str) -> None:
    (found,) = json.loads(run(web, "-o", "json").stdout)
    assert {each["name"]: each["reason"] for each in found["actions"]} == {
        "pause": "it is paused already", "restart": "", "resume": "", "scale": "",
    }  # fmt: skip
    assert "replicas=2" in run(web).stdout


def test_a_run_shows_what_would_be_written(web: str) -> None:
    (found,) = json.loads(run(web, "--run", "scale", "--param", "replicas=5", "-o", "json").stdout)
    assert (found["key"]["name"], found["patch"], found["create"]) == ("web", {"spec": {"replicas": 5}}, [])


def test_own_scripts_take_the_place_of_ours(web: str, scripts: str) -> None:
    assert [each["name"] for each in json.loads(run(web, "--scripts", scripts, "-o", "json").stdout)[0]["actions"]] == ["hello"]
    (found,) = json.loads(run(web, "--scripts", scripts, "--run", "hello", "-o", "json").stdout)
    assert found["patch"] == {"metadata": {"labels": {"hello": "you"}}}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--run", "pause"], "action 'pause' cannot be done to apps/Deployment shop/web: it is paused already"),
        (["--run", "promote"], "apps/Deployment has no action 'promote'; it has pause, restart, resume, scale"),
        (["--run", "scale"], "parameters.replicas: is required"),
        (["--run", "scale", "--param", "5"], "--param '5' is no NAME=VALUE, for example replicas=3"),
    ],
)
def test_what_cannot_be_done_is_wrong_use(web: str, words: list[str], said: str) -> None:
    found = testing.CliRunner().invoke(trial.group, ["actions", web, *words])
    assert (found.exit_code, said in found.output) == (2, True), found.output


def test_a_folder_without_actions_says_how_to_lay_them_out(web: str, tmp_path: pathlib.Path) -> None:
    found = testing.CliRunner().invoke(trial.group, ["actions", web, "--scripts", str(tmp_path)])
    assert (found.exit_code, "GROUP/KIND/actions/discovery.lua" in found.output) == (2, True), found.output
