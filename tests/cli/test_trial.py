"""`plane try`: what it prints, how it ends, and that it says what is wrong."""

import json
import pathlib
from typing import Any

import pytest
from click import testing

from plane.cli.trying import trial

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: shop}\ndata: {a: %s}\n"
OURS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: shop, labels: {gitops-plane.io/app: %s}}\n"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {restartPolicy: Always}\nstatus: {phase: %s}\n"
PLAIN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: shop}\n"


def run(*words: str, stdin: str = "") -> testing.Result:
    return testing.CliRunner().invoke(trial.group, list(words), input=stdin)


def told(result: testing.Result) -> Any:  # noqa: ANN401 any JSON data
    return json.loads(result.stdout)


@pytest.fixture
def file(tmp_path: pathlib.Path) -> Any:  # noqa: ANN401 a function
    def write(name: str, *documents: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("---\n".join(documents))
        return str(path)

    return write


def steps(result: testing.Result) -> list[str]:
    return [
        f"{phase['phase']} {wave['wave']} {step['action']} {step['kind']}/{step['name']}"
        for phase in told(result)["phases"]
        for wave in phase["waves"]
        for step in wave["steps"]
    ]


def test_health_judges_every_document_in_order(file: Any) -> None:  # noqa: ANN401
    result = run("health", file("pods.yaml", POD % "Pending", POD % "Succeeded"), "-o", "json")
    assert result.exit_code == 0
    assert told(result) == [
        {
            "key": {"group": "", "kind": "Pod", "namespace": "", "name": "a"},
            "status": "Progressing",
            "message": "waiting for its containers",
        },
        {"key": {"group": "", "kind": "Pod", "namespace": "", "name": "a"}, "status": "Healthy", "message": ""},
    ]


def test_health_reads_standard_input() -> None:
    assert "Degraded" in run("health", "-", stdin=POD % "Failed").stdout


def test_a_folder_is_read_file_by_file(file: Any, tmp_path: pathlib.Path) -> None:  # noqa: ANN401
    file("d/b.yaml", CONFIG % ("b", 1))
    file("d/sub/c.json", '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}')
    file("d/a.yml", CONFIG % ("a", 1))
    file("d/README.md", "not: [yaml")
    assert [entry["key"]["name"] for entry in told(run("health", str(tmp_path / "d"), "-o", "json"))] == ["a", "b", "c"]


def test_diff_tells_what_an_apply_would_do_and_ends_with_1(file: Any) -> None:  # noqa: ANN401
    desired = file("desired.yaml", CONFIG % ("new", "x"), CONFIG % ("changed", "x"), CONFIG % ("same", "x"))
    live = file("live.yaml", CONFIG % ("same", "x"), CONFIG % ("gone", "x"), CONFIG % ("changed", "other"))
    result = run("diff", "--desired", desired, "--live", live, "-o", "json")
    assert [(entry["key"]["name"], entry["action"], entry["fields"]) for entry in told(result)] == [
        ("new", "create", []),
        ("changed", "update", ["/data/a"]),
        ("gone", "delete", []),
    ]
    assert result.exit_code == 1


def test_diff_ends_with_0_when_nothing_differs(file: Any) -> None:  # noqa: ANN401
    path = file("a.yaml", CONFIG % ("a", "x"))
    result = run("diff", "--desired", path, "--live", path, "-o", "json")
    assert (result.exit_code, told(result)) == (0, [])


def test_diff_matches_an_object_that_names_no_namespace(file: Any) -> None:  # noqa: ANN401
    desired = file("desired.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    live = file("live.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n")
    assert run("diff", "--desired", desired, "--live", live).exit_code == 0


def test_diff_shows_no_secret(file: Any) -> None:  # noqa: ANN401
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {p: %s}\n"
    result = run("diff", "--desired", file("d.yaml", secret % "canary1"), "--live", file("l.yaml", secret % "canary2"), "-o", "diff")
    assert "(changed)" in result.stdout
    assert "canary" not in result.stdout


def test_plan_orders_the_work(file: Any) -> None:  # noqa: ANN401
    hook = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {argocd.argoproj.io/hook: PreSync}}\n"
    desired = file(
        "d.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n",
        hook,
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
    )
    result = run("plan", "--desired", desired, "--live", file("l.yaml"), "-o", "json")
    assert told(result) == {
        "phases": [
            {
                "phase": "PreSync",
                "waves": [{"wave": 0, "steps": [{"action": "hook", "group": "batch", "kind": "Job", "namespace": "", "name": "migrate"}]}],
            },
            {
                "phase": "Sync",
                "waves": [
                    {
                        "wave": 0,
                        "steps": [
                            {"action": "apply", "group": "", "kind": "Namespace", "namespace": "", "name": "shop"},
                            {"action": "apply", "group": "", "kind": "Service", "namespace": "", "name": "web"},
                        ],
                    }
                ],
            },
        ]
    }


def test_plan_prunes_what_is_marked_as_ours_and_nothing_else(file: Any) -> None:  # noqa: ANN401
    desired = file("d.yaml", PLAIN % "new")
    live = file("l.yaml", OURS % ("new", "one"), OURS % ("old", "one"), OURS % ("theirs", "two"), PLAIN % "nobodys")
    assert steps(run("plan", "--desired", desired, "--live", live, "-o", "json")) == [
        "Sync 0 prune ConfigMap/old",
        "Sync 0 apply ConfigMap/new",
    ]


@pytest.mark.parametrize(
    "inventory",
    [
        PLAIN % "old",
        "- {kind: ConfigMap, namespace: shop, name: old}\n",
        "keys: [{group: '', kind: ConfigMap, namespace: shop, name: old}]\n",
        "[{key: {kind: ConfigMap, namespace: shop, name: old}}]\n",
        "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: old, namespace: shop}}]}\n",
    ],
)
def test_plan_prunes_what_the_inventory_lists(file: Any, inventory: str) -> None:  # noqa: ANN401
    desired, live, listed = file("d.yaml", PLAIN % "new"), file("l.yaml", PLAIN % "old", PLAIN % "nobodys"), file("i.yaml", inventory)
    result = run("plan", "--desired", desired, "--live", live, "--inventory", listed, "-o", "json")
    assert steps(result) == ["Sync 0 prune ConfigMap/old", "Sync 0 apply ConfigMap/new"]


def test_plan_says_why_something_is_kept(file: Any) -> None:  # noqa: ANN401
    desired, live = file("d.yaml", PLAIN % "new"), file("l.yaml", OURS % ("old", "one"))
    assert "pruning is off for this sync" in run("plan", "--desired", desired, "--live", live, "--no-prune").stdout


@pytest.mark.parametrize(
    ("words", "text", "sentence"),
    [
        (("health", "FILE"), "a: [", "this is not YAML"),
        (("health", "FILE"), "a: 1\n", ":1: apiVersion is missing"),
        (
            ("diff", "--desired", "FILE", "--live", "FILE"),
            PLAIN % "a" + "---\n" + PLAIN % "a",
            ":5: ConfigMap shop/a is already defined at",
        ),
        (
            ("plan", "--desired", "FILE", "--live", "FILE"),
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {gitops-plane.io/sync-wave: x}}\n",
            "sync-wave of ConfigMap default/a is 'x'; a wave is an integer",
        ),
        (("plan", "--desired", "FILE", "--live", "FILE", "--inventory", "FILE"), "just words\n", "a Kubernetes object is a mapping"),
        (("health", "nowhere.yaml"), "", "does not exist"),
    ],
)
def test_bad_input_gets_one_sentence_with_file_and_line_and_exit_2(file: Any, words: tuple[str, ...], text: str, sentence: str) -> None:  # noqa: ANN401
    path = file("bad.yaml", text)
    result = run(*(path if word == "FILE" else word for word in words))
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_the_help_lists_every_step() -> None:
    assert all(name in run("--help").stdout for name in trial.STEPS)
