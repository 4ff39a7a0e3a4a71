"""A real OPA judges; whatever goes wrong with it is a denial."""

import concurrent.futures
import contextlib
import json
import pathlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from plane import config
from plane.adapters.judging import opa, opa_files, opa_pool, opa_sets
from plane.domain.judging import policy, surroundings
from tests.support import waiting

SHIPPED = opa_files.shipped()
CONTEXT = policy.PolicyContext(tenant="acme", project="shop", app="web", cluster="one", now="2026-01-01T00:00:00Z")
Json = dict[str, Any]
POD: Json = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"containers": []}}


@pytest.fixture(scope="module")
def engine() -> Iterator[opa.Opa]:
    with contextlib.closing(opa.Opa(config.program("opa"), SHIPPED.base, deadline_s=20)) as found:
        yield found


@pytest.fixture(scope="module")
def hurried() -> Iterator[opa.Opa]:
    with contextlib.closing(opa.Opa(config.program("opa"), SHIPPED.base, deadline_s=3, engines=2)) as found:
        yield found


def rules(body: str, *, head: str = "package plane.rules.own") -> policy.PolicyFiles:
    return policy.policy_files("own", {"own.rego": f"{head}\n\n{body}\n"})


def ask(engine: opa.Opa, files: policy.PolicyFiles, *manifests: Json, **parameters: Json) -> tuple[policy.Violation, ...]:
    return engine.violations(files, policy.PolicyInput(manifests or (POD,), CONTEXT, parameters))


def ask_for(tenant: str, engine: opa.Opa, files: policy.PolicyFiles, **parameters: Json) -> tuple[policy.Violation, ...]:
    return engine.violations(files, policy.PolicyInput((POD,), msgspec.structs.replace(CONTEXT, tenant=tenant), parameters))


SAYS_NO = rules('violations contains {"message": "no"}')


def test_a_rule_of_ones_own_is_asked_about_every_manifest(engine: opa.Opa) -> None:
    config_map: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}}
    found = ask(engine, SAYS_NO, POD, config_map)
    assert [(one.policy, one.rule, one.object, one.message) for one in found] == [
        ("own", "own", "ConfigMap b", "no"),
        ("own", "own", "Pod shop/web", "no"),
    ]


def test_metadata_fills_in_what_the_violation_does_not_say(engine: opa.Opa) -> None:
    head = "# METADATA\n# custom:\n#   id: X01\n#   severity: high\n#   remedy: Stop it.\npackage plane.rules.own\n"
    body = 'import data.plane.lib\n\nabout := lib.about(rego.metadata.chain())\n\nviolations contains {"message": "no", "path": "/kind"}'
    (found,) = ask(engine, rules(body, head=head))
    assert found == policy.Violation("own", "X01", "Pod shop/web", "no", severity="high", path="/kind", remedy="Stop it.")


def test_rules_see_context_parameters_and_all_manifests(engine: opa.Opa) -> None:
    body = """
violations contains {"message": message} if {
	message := sprintf("%s %s %d", [input.context.tenant, input.parameters.own.word, count(input.manifests)])
}"""
    (found,) = ask(engine, rules(body), own={"word": "hello"})
    assert found.message == "acme hello 1"


ABOUT_ALL = """
release_violations contains {"message": sprintf("%d objects", [count(input.manifests)])}

release_violations contains {"message": "there again", "object": index} if {
	some index, manifest in input.manifests
	manifest.kind == "ConfigMap"
}

release_violations contains {"message": "gone", "object": "Secret shop/old"} if some change in input.changes
"""


def test_a_rule_about_the_whole_release_is_asked_once_and_names_what_it_is_about(engine: opa.Opa) -> None:
    config_map: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}}
    gone = surroundings.Change(action="delete", object=surroundings.ObjectName(kind="Secret", name="old", namespace="shop"))
    found = engine.violations(rules(ABOUT_ALL), policy.PolicyInput((POD, config_map), CONTEXT, changes=(gone,)))
    assert [(one.object, one.message) for one in found] == [
        ("ConfigMap b", "there again"),
        ("Secret shop/old", "gone"),
        ("the release", "2 objects"),
    ]


def test_nothing_found_is_an_answer(engine: opa.Opa) -> None:
    assert ask(engine, rules('violations contains {"message": "no"} if input.manifest.kind == "Job"')) == ()


def test_two_sets_never_meet(engine: opa.Opa) -> None:
    says_word = rules('import data.lib\n\nviolations contains {"message": lib.word}').files
    one = policy.policy_files("one", {**says_word, "lib.rego": 'package lib\n\nword := "one"'})
    two = policy.policy_files("two", {**says_word, "lib.rego": 'package lib\n\nword := "two"'})
    assert [found.message for found in (*ask(engine, one), *ask(engine, two))] == ["one", "two"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("violations contains {\n", "own.rego:"),
        ("violations contains x if {\n\ty == 1\n}", "own.rego:3:21: var x is unsafe"),
        ('deny contains "x" if true\n\nviolations := 1 if unknown_builtin(1)', "own.rego:5:20: undefined function unknown_builtin"),
        ('violations contains {"message": x} if x := http.send({"url": "http://x.example", "method": "GET"})', "http.send"),
        ('violations contains {"message": x} if x := opa.runtime().env.HOME', "opa.runtime"),
        ('violations contains {"message": "x"} if time.now_ns() > 1', "time.now_ns"),
        ('violations contains {"message": "x"} if rand.intn("x", 2) == 1', "rand.intn"),
        ('violations contains {"message": "x"} if net.lookup_ip_addr("x.example")', "net.lookup_ip_addr"),
        ('violations contains {"message": "x"} if data.plane.main.violations', "recursive"),
        ('deny contains "x"', "no rule named violations"),
        ('import data.foo\n\nviolations contains {"message": "x"}', "strict|unused"),
    ],
    ids=range(11),
)
def test_a_set_that_cannot_work_names_the_place(engine: opa.Opa, body: str, problem: str) -> None:
    with pytest.raises(policy.PolicyInvalid, match=f"(?s)policy set own does not compile: .*({problem})") as refused:
        engine.check(rules(body))
    assert refused.value.problems


@pytest.mark.parametrize("name", ["main", 'plane["main"]', "plane.main", "plane.lib", "system.authz", "plane.rules.a.b"])
def test_a_set_cannot_reach_into_other_packages(engine: opa.Opa, name: str) -> None:
    with pytest.raises(policy.PolicyInvalid, match=r"own\.rego:1:1: a policy set consists of packages plane\.rules\.NAME"):
        engine.check(rules('violations contains {"message": "no"}', head=f"package {name}"))


@pytest.mark.parametrize("name", ["../own.rego", "/own.rego", "a/../own.rego", "own.rego\n", "own.yaml", ".rego", "a//b.rego"])
def test_a_file_name_cannot_leave_the_folder(engine: opa.Opa, name: str) -> None:
    with pytest.raises(policy.PolicyInvalid, match="a file name consists of"):
        engine.check(policy.policy_files("own", {name: SAYS_NO.files["own.rego"]}))


def test_an_empty_set_is_refused(engine: opa.Opa) -> None:
    with pytest.raises(policy.PolicyInvalid, match="it has no rule"):
        engine.check(policy.policy_files("own", {}))


DEEP = """
brackets(one) := concat("", [one | some _ in numbers.range(1, 5000)])

violations contains {"message": "x", "more": json.unmarshal(sprintf("%s%s", [brackets("["), brackets("]")]))}
"""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("violations := true", "OPA could not evaluate it: sort: operand 1"),
        ('violations := "text" if input.manifest', "OPA could not evaluate it: sort: operand 1"),
        ("release_violations := 7 if input.manifests", "OPA could not evaluate it: sort: operand 1"),
        (DEEP, "it answers with values that are nested too deeply to be read"),
        ('release_violations contains {"message": "x", "object": 1e30}', "a rule's result is not an object"),
        ('release_violations contains {"message": "x", "object": 2}', "own gave a result without a message"),
        ('violations contains "text"', "a rule's result is not an object"),
        ('violations contains {"msg": "x"}', "own gave a result without a message"),
        ('violations contains {"message": 5}', "own gave a result without a message"),
        ('violations contains {"message": x} if x := to_number("x")', "OPA could not evaluate it: "),
        ("violations := 1 if input.manifest.kind\n\nviolations := 2 if input.manifest.kind", "OPA could not evaluate it: "),
    ],
)
def test_an_answer_that_is_none_is_a_failure(engine: opa.Opa, body: str, reason: str) -> None:
    with pytest.raises(policy.PolicyFailed, match=f"policy set own: .*{reason}"):
        ask(engine, rules(body))


def test_a_driver_that_says_nothing_is_a_failure() -> None:
    base = {**SHIPPED.base, "main.rego": "package plane.other\n"}
    with contextlib.closing(opa.Opa(config.program("opa"), base)) as engine, pytest.raises(policy.PolicyFailed, match="undefined"):
        ask(engine, SAYS_NO)


LOOPS = rules("""
violations contains {"message": "x"} if {
	numbers.range(1, 100000)[_] * numbers.range(1, 100000)[_] == -1
}""")


def test_a_rule_that_loops_ends_at_the_deadline_and_the_next_query_works(hurried: opa.Opa) -> None:
    with pytest.raises(policy.PolicyFailed, match=r"no answer within 3 s"):
        ask(hurried, LOOPS)
    assert len(ask(hurried, SAYS_NO)) == 1


def processes(engine: opa.Opa) -> list[subprocess.Popen[bytes]]:
    slots = engine._pool._engines.values()  # noqa: SLF001 - whom to kill
    return [slot._engine.process for slot in slots if slot._engine]  # noqa: SLF001


LOOPS_FOR_ACME = rules("""
violations contains {"message": "x"} if {
	input.parameters.loop.on
	numbers.range(1, 100000)[_] * numbers.range(1, 100000)[_] == -1
}

violations contains {"message": "quick"}""")


def test_a_query_beside_one_that_loops_is_answered(hurried: opa.Opa) -> None:
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        loops = threads.submit(ask, hurried, LOOPS_FOR_ACME, POD, loop={"on": True})
        answers = [ask(hurried, LOOPS_FOR_ACME)[0].message for _ in range(20)]
        with pytest.raises(policy.PolicyFailed, match="no answer within"):
            loops.result()
    assert set(answers) == {"quick"}


def test_an_engine_that_stands_still_is_replaced(hurried: opa.Opa) -> None:
    ask(hurried, SAYS_NO)
    for process in processes(hurried):
        process.send_signal(signal.SIGSTOP)
    large = [{**POD, "data": {"text": "x" * 1_000_000}}] * 8
    assert {found.message for found in ask(hurried, SAYS_NO, *large)} == {"no"}


def test_a_rule_that_eats_memory_is_a_failure_and_the_next_query_works() -> None:
    hungry = rules('violations contains {"message": "x"} if count(numbers.range(1, 8000000)) == 1')
    with contextlib.closing(opa.Opa(config.program("opa"), SHIPPED.base, deadline_s=60, memory_bytes=256 * 1024**2)) as engine:
        with pytest.raises(policy.PolicyFailed, match="OPA ended before it answered"):
            ask(engine, hungry)
        assert len(ask(engine, SAYS_NO)) == 1


def test_a_crashed_engine_is_replaced(hurried: opa.Opa) -> None:
    ask(hurried, SAYS_NO)
    for process in processes(hurried):
        process.send_signal(signal.SIGKILL)
    assert len(ask(hurried, SAYS_NO)) == 1


def says(word: str) -> policy.PolicyFiles:
    return rules(f'violations contains {{"message": "{word}"}}')


def test_engines_are_bounded_and_the_oldest_makes_room(hurried: opa.Opa) -> None:
    for word in ("a", "b", "c"):
        assert ask(hurried, says(word))[0].message == word
    kept = processes(hurried)
    assert len(kept) == 2
    assert [ask(hurried, says(word))[0].message for word in ("b", "c")] == ["b", "c"]
    assert processes(hurried) == kept


def test_sets_in_use_in_turn_keep_their_engines() -> None:
    sets = [says(str(number)) for number in range(8)]
    with contextlib.closing(opa.Opa(config.program("opa"), SHIPPED.base)) as engine:
        kept = []
        for _ in range(2):
            assert [ask(engine, one)[0].message for one in sets] == [str(number) for number in range(8)]
            kept.append({process.pid for process in processes(engine)})
    assert kept[0] == kept[1]
    assert len(kept[0]) == 8


def test_engines_that_hold_much_memory_end_when_idle() -> None:
    def place(folder: pathlib.Path) -> None:
        folder.mkdir()

    with contextlib.closing(opa_pool.Pool(config.program("opa"), kept_bytes=1024**2)) as engines:
        with engines.engine("set", place=place) as engine:
            assert engine.alive()
        assert not engine.alive()


def loops_and(word: str) -> policy.PolicyFiles:
    return rules(LOOPS_FOR_ACME.files["own.rego"].partition("\n\n")[2].replace("quick", word))


def test_four_tenants_that_loop_make_nobody_elses_query_a_denial() -> None:
    """Each again and again, in several sets."""
    with (
        contextlib.closing(opa.Opa(config.program("opa"), SHIPPED.base, deadline_s=3, engines=4)) as engine,
        concurrent.futures.ThreadPoolExecutor(8) as threads,
    ):
        sets = [(tenant, loops_and(f"{tenant}{number}")) for number in range(2) for tenant in ("one", "two", "three", "four")]
        loops = [threads.submit(ask_for, tenant, engine, files, loop={"on": True}) for tenant, files in sets]
        answers = [ask(engine, says(str(number)))[0].message for number in range(8)]
        ended = [str(loop.exception()) for loop in loops]
    assert answers == [str(number) for number in range(8)]
    assert all("no answer within" in reason for reason in ended), ended


def test_what_looped_once_loops_by_itself_the_next_time(hurried: opa.Opa) -> None:
    files = loops_and("lane")
    with pytest.raises(policy.PolicyFailed, match="no answer within"):
        ask_for("globex", hurried, files, loop={"on": True})
    ask(hurried, files)
    shared = hurried._pool._engines[files.digest]._engine  # noqa: SLF001 - whether it survives
    with pytest.raises(policy.PolicyFailed, match="no answer within"):
        ask_for("globex", hurried, files, loop={"on": True})
    assert shared is not None
    assert shared.alive()
    assert ask_for("globex", hurried, files)[0].message == "lane"


def test_a_query_that_gets_no_turn_is_a_failure_that_says_so() -> None:
    with (
        contextlib.closing(opa.Opa(config.program("opa"), SHIPPED.base, deadline_s=60, wait_s=0.01, engines=1)) as engine,
        engine._turns.turn("globex", "", wait_s=0),  # noqa: SLF001 - the only place is taken
        pytest.raises(policy.PolicyFailed, match=r"no policy engine was free for 0\.01 s"),
    ):
        ask(engine, SAYS_NO)


def test_a_set_that_does_not_compile_in_time_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opa_sets, "CHECK_S", 0.001)
    with contextlib.closing(opa.Opa(config.program("opa"), SHIPPED.base)) as engine:
        engine._compiler._capabilities = b"{}"  # noqa: SLF001 - only the compiler shall be too slow
        with pytest.raises(policy.PolicyInvalid, match="has not compiled it within"):
            engine.check(SAYS_NO)


def test_many_threads_share_engines() -> None:
    sets = [rules(f'violations contains {{"message": "{number}"}}') for number in range(4)]
    with (
        contextlib.closing(opa.Opa(config.program("opa"), SHIPPED.base, engines=2, deadline_s=30)) as engine,
        concurrent.futures.ThreadPoolExecutor(8) as threads,
    ):
        found = list(threads.map(lambda number: ask(engine, sets[number % 4])[0].message, range(40)))
    assert found == [str(number % 4) for number in range(40)]


def test_a_program_that_cannot_start_is_a_failure() -> None:
    with contextlib.closing(opa.Opa(config.program("opa"), SHIPPED.base)) as engine:
        engine._pool.close()  # noqa: SLF001 - for one of another program
        engine._pool = opa_pool.Pool(str(shutil.which("cat")))  # noqa: SLF001
        with pytest.raises(policy.PolicyFailed, match=r"policy set own: OPA ended before it answered: .*cat"):
            ask(engine, SAYS_NO)


def test_a_hundred_thousand_violations_and_messages_of_ten_megabytes_are_an_answer(engine: opa.Opa) -> None:
    many = rules('violations contains {"message": sprintf("%d", [number])} if some number in numbers.range(1, 100000)')
    assert len(ask(engine, many)) == 100_000
    long = rules('violations contains {"message": concat("", [sprintf("%01000000d", [n]) | some n in numbers.range(1, 10)])}')
    assert [len(one.message) for one in ask(engine, long)] == [10_000_000]


def test_an_answer_that_nobody_could_hold_is_a_failure_and_the_next_query_works(engine: opa.Opa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opa_pool, "ANSWER_BYTES", 1024**2)
    long = rules('violations contains {"message": concat("", [sprintf("%01000000d", [n]) | some n in [1, 2]])}')
    with pytest.raises(policy.PolicyFailed, match=r"policy set own: OPA could not evaluate it: it answers with more than 1 MiB"):
        ask(engine, long)
    assert len(ask(engine, SAYS_NO)) == 1


def test_what_no_capability_gives_is_what_opa_itself_calls_unrepeatable() -> None:
    said = subprocess.run([config.program("opa"), "capabilities", "--current"], capture_output=True, check=True).stdout
    unrepeatable = {one["name"] for one in json.loads(said)["builtins"] if one.get("nondeterministic")}
    assert unrepeatable - opa_sets.REFUSED == {"json.match_schema", "json.verify_schema"}  # only by what they fetch


def test_a_stranger_gets_no_answer_from_our_opa(engine: opa.Opa) -> None:
    ask(engine, SAYS_NO)
    slot = next(iter(engine._pool._engines.values()))  # noqa: SLF001 - where it listens
    assert slot._folder is not None  # noqa: SLF001
    client = opa_pool._SocketClient(pathlib.Path(slot._folder.name, "opa.sock"), "another token")  # noqa: SLF001
    assert not client.check_health()
    client.close_connection()
    assert pathlib.Path(slot._folder.name).stat().st_mode & 0o077 == 0  # noqa: SLF001


ORPHAN = """
import os, sys
from plane.adapters.judging import opa, opa_files
from plane.domain.judging import policy, surroundings
engine = opa.Opa(sys.argv[1], opa_files.shipped().base)
context = policy.PolicyContext(tenant="a", project="b", app="c", cluster="d", now="e")
engine.violations(opa_files.shipped().rules, policy.PolicyInput((), context))
print(next(iter(engine._pool._engines.values()))._engine.process.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_opa_dies_with_its_parent() -> None:
    code = [sys.executable, "-c", ORPHAN, config.program("opa")]
    done = subprocess.run(code, capture_output=True, text=True, check=False, cwd=pathlib.Path(__file__).parents[3])
    assert done.returncode == -signal.SIGKILL, done.stderr
    waiting.for_end(int(done.stdout))
