"""`plane try health` with scripts of one's own."""

import json
import pathlib

import pytest
from click import testing

from plane.cli.trying import trial

WIDGET = "apiVersion: x.example/v1\nkind: Widget\nmetadata: {name: a, generation: 2}\nstatus: {phase: Broken, observedGeneration: %d}\n"
LUA = "hs = {} hs.status = 'Degraded' hs.message = obj.status.phase return hs"


def judged(tmp_path: pathlib.Path, scripts: dict[str, str], *, seen: int = 2) -> testing.Result:
    (tmp_path / "scripts").mkdir()
    for name, text in scripts.items():
        path = tmp_path / "scripts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "o.yaml").write_text(WIDGET % seen)
    return testing.CliRunner().invoke(
        trial.group, ["health", str(tmp_path / "o.yaml"), "--scripts", str(tmp_path / "scripts"), "-o", "json"]
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.example/Widget/health.lua", LUA),
        ("_/_/health.lua", LUA),
        ("x.example/Widget/health.yaml", "failed: status.phase == 'Broken'\ncurrent: 'true'\n"),
    ],
)
def test_a_script_of_the_kind_decides(tmp_path: pathlib.Path, name: str, text: str) -> None:
    (shown,) = json.loads(judged(tmp_path, {name: text}).stdout)
    assert shown["status"] == "Degraded"
    assert "Broken" in shown["message"]


def test_a_script_of_another_kind_does_not(tmp_path: pathlib.Path) -> None:
    (shown,) = json.loads(judged(tmp_path, {"x.example/Other/health.lua": LUA}).stdout)
    assert (shown["status"], shown["message"]) == ("Healthy", "not judged: no rule is known for its kind and it has no condition Ready")


def test_expressions_wait_for_the_controller(tmp_path: pathlib.Path) -> None:
    (shown,) = json.loads(judged(tmp_path, {"x.example/Widget/health.yaml": "current: 'true'"}, seen=1).stdout)
    assert shown["status"] == "Progressing"


@pytest.mark.parametrize(
    ("scripts", "rule"),
    [
        ({}, "holds no script; lay scripts out as GROUP/KIND/health.lua"),
        ({"a/b/c/health.lua": LUA}, "lay scripts out as GROUP/KIND/health.lua"),
        ({"x.example/Widget/health.yaml": "curent: 'true'"}, "use current, inProgress and failed"),
        ({"x.example/Widget/health.yaml": "a: b: c"}, "x.example/Widget/health.yaml"),
    ],
)
def test_a_folder_that_holds_no_scripts_is_wrong_use(tmp_path: pathlib.Path, scripts: dict[str, str], rule: str) -> None:
    result = judged(tmp_path, scripts)
    assert result.exit_code == 2
    assert rule in " ".join(result.stderr.split())
