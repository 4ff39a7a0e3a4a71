"""What the program is before any plane is there."""

import json
import os
import pathlib
import stat
import subprocess
import sys

import httpx
import pytest

from plane.cli import client, contexts
from plane.cli.trying import trial
from tests.cli import conftest


def test_help_imports_no_command() -> None:
    code = "import sys; from plane import __main__ as p; p.main(['--help'], standalone_mode=False); print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "Usage:" in loaded
    assert not any(f"'{heavy}'" in loaded for heavy in ("httpx", "rich", "msgspec", "yaml", "plane.cli"))


@pytest.mark.parametrize("step", sorted(trial.STEPS))
def test_a_step_on_local_files_imports_no_client_and_no_server(step: str) -> None:
    code = f"import sys, importlib; importlib.import_module({trial.STEPS[step][0].split(':')[0]!r}); print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    heavy = ("aiohttp", "cryptography", "git", "httpx", "kubernetes", "litestar", "opa_client", "psycopg", "requests", "rich", "sqlalchemy")
    assert [name for name in heavy if f"'{name}'" in loaded] == []


@pytest.mark.parametrize(("typed", "meant"), [("aplly", "apply"), ("try plna", "plan"), ("app gte", "get")])
def test_a_wrong_command_is_wrong_use_and_names_the_nearest(run: conftest.Run, typed: str, meant: str) -> None:
    assert f"Did you mean '{meant}'?" in run(*typed.split(), code=2).stderr


@pytest.mark.parametrize("group", ["", "app", "audit", "policy", "cluster", "db", "try"])
def test_help_cuts_no_sentence(run: conftest.Run, group: str) -> None:
    assert "..." not in run(*group.split(), "--help").output.partition("ommands:")[2]


def test_version(run: conftest.Run) -> None:
    assert run("version").output.startswith("plane ")
    assert "version" in json.loads(run("version", "-o", "json").output)
    assert run("--version").output == run("version").output


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_prints_a_script(run: conftest.Run, shell: str) -> None:
    assert "_PLANE_COMPLETE" in run("completion", shell).output


def completed(words: str, *, at: int) -> tuple[set[str], str]:
    """What bash is offered for the word at a place, and the modules that were loaded for it."""
    asked = {"_PLANE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(at)}
    code = "import atexit, sys; atexit.register(lambda: print(sorted(sys.modules), file=sys.stderr))\n"
    code += "from plane import __main__ as p; p.main(prog_name='plane')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ, **asked})
    return set(done.stdout.split()), done.stderr


def test_kinds_complete() -> None:
    assert {"plain,app", "plain,tenant", "plain,policy"} <= completed("plane get ", at=2)[0]


def test_commands_complete_and_none_is_imported_for_it() -> None:
    offered, loaded = completed("plane a", at=1)
    assert offered == {"plain,agent", "plain,app", "plain,apply", "plain,at", "plain,audit", "plain,auth"}
    assert not any(f"'{heavy}'" in loaded for heavy in ("httpx", "msgspec", "yaml", "plane.cli", "plane.run"))


def test_without_a_plane_one_is_told_to_log_in(run: conftest.Run) -> None:
    assert run("get", "apps", code=3).stderr == "Error: no plane to talk to; run `plane login URL`, or set PLANE_URL and PLANE_TOKEN\n"


def test_an_unknown_kind_names_the_known(run: conftest.Run) -> None:
    said = run("get", "deployments", code=2).stderr
    known = (
        "tenant, cluster, project, user, role, rolebinding, credential, repo, policy, policybinding, waiver, "
        "healthcheck, resourcerule, sink, identityprovider, workloadtrust, app"
    )
    assert said == f"Error: there is no kind 'deployments'; known kinds: {known}\n"


def test_a_waiver_is_for_a_rule_of_a_set(run: conftest.Run) -> None:
    said = run("waiver", "create", "w", "--rule", "W01", "--reason", "x", "--until", "3d", code=2).stderr
    assert "names no policy set; write SET/RULE" in said


def test_a_slip_in_a_kind_names_the_nearest(run: conftest.Run) -> None:
    assert run("get", "aps", code=2).stderr.startswith("Error: there is no kind 'aps' (did you mean 'apps'?); known kinds: tenant, ")


def test_a_plane_that_is_away_is_exit_6(run: conftest.Run) -> None:
    said = run("get", "tenants", code=6, PLANE_URL="http://127.0.0.1:9", PLANE_TOKEN="t").stderr
    assert said.startswith("Error: the plane at http://127.0.0.1:9 cannot be reached: ")
    assert said.endswith("; check the address with `plane context show`, and that the plane runs\n")


@pytest.mark.parametrize(
    ("reason", "way_out"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)", "name that with `--ca FILE`"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "this port does not speak TLS"),
        ("[Errno 111] Connection refused", "check the address with `plane context show`"),
    ],
)
def test_what_keeps_a_plane_away_is_told_with_the_way_out(reason: str, way_out: str) -> None:
    with client.Client(contexts.Context("prod", "https://plane.example")) as api:
        said = str(api.away(httpx.ConnectError(reason)))
    assert way_out in said
    assert "_ssl.c" not in said
    assert "[" not in said


@pytest.mark.parametrize(
    "url", ["plane.example", "ftp://plane.example", "https://user:secret@plane.example", "https://", "https://[x", "https://x:y"]
)
def test_login_refuses_what_is_no_address(run: conftest.Run, url: str) -> None:
    assert "is not the address of a plane; write it as https://plane.example" in run("login", url, typed="t\n", code=2).stderr


def test_contexts_are_listed_chosen_changed_and_forgotten(run: conftest.Run, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "config.yaml"
    contexts.save(
        file,
        contexts.File(
            "one", (contexts.Context("one", "https://one.example", token="gp_secret"), contexts.Context("two", "https://two.example"))
        ),
    )
    assert run("context", "use", "two").output == "Context 'two' is current.\n"
    assert run("context", "set", "-T", "acme", "-P", "shop").output == "Context 'two' works in tenant acme, project shop.\n"
    assert run("context", "list").output.splitlines() == [
        "CURRENT  NAME  URL                  TENANT  PROJECT",
        "-        one   https://one.example  -       -",
        "*        two   https://two.example  acme    shop",
    ]
    assert "gp_secret" not in run("context", "show", "one", "-o", "yaml").output
    run("context", "delete", "two")
    assert run("context", "show", code=2).stderr.startswith("Error: there is no current context")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_bad_document_is_refused_before_any_plane_is_asked(run: conftest.Run, tmp_path: pathlib.Path) -> None:
    (tmp_path / "app.yaml").write_text("apiVersion: v1\nkind: App\n")
    said = run("apply", "-f", str(tmp_path / "app.yaml"), code=2, PLANE_URL="http://127.0.0.1:9", PLANE_TOKEN="t").stderr
    assert said.startswith(f"Error: {tmp_path}/app.yaml:1: apiVersion is 'v1', not gitops-plane.io/v1")
