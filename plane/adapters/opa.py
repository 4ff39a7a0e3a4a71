"""Policy by a real OPA: `ports.PolicyEngine` over opa-python-client, compile checks by the program itself."""

import os
import pathlib
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from plane.adapters import opa_pool, opa_turns
from plane.domain import objects
from plane.domain.judging import policy

DEADLINE_S = 10.0  # 1,000 manifests take well under a second; a set that needs this long loops
CHECK_S = 20.0
WAIT_S = 60.0  # for a turn: six deadlines, so that even places full of sets that loop come free
PLACES = 4 * (os.cpu_count() or 2)  # queries at once; four tenants that loop for the first time fill them for one deadline
PLACES_EACH = PLACES // 4  # a core's worth: one tenant alone loses nothing by it
PLACES_SLOW = 2  # of what looped before, by however many tenants
NICE_SLOW = 10  # it gives way to whatever else wants the processor

# What a verdict must not depend on: the network, the machine, chance and the clock (rules get `input.context.now`).
REFUSED = frozenset({
    "http.send",
    "net.lookup_ip_addr",
    "opa.runtime",
    "providers.aws.sign_req",
    "rand.intn",
    "rego.parse_module",
    "time.now_ns",
    "uuid.rfc4122",
})  # fmt: skip

FILE_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*\.rego", re.ASCII)
# An allow-list of spellings: `package plane["main"]` is the driver's package too.
PACKAGE = re.compile(r"package[ \t]+(?P<name>plane\.rules\.[A-Za-z_]\w*|lib(\.[A-Za-z_]\w*)*)[ \t]*(#.*)?")
PACKAGE_RULE = "a policy set consists of packages plane.rules.NAME, and lib or lib.NAME for what they share"
VIOLATIONS = re.compile(r"^violations\b", re.MULTILINE)


class _Answer(msgspec.Struct):
    """One answer of the driver (policies/main.rego)."""

    rule: str
    index: int
    found: dict[str, Any]
    about: dict[str, Any] = {}


class Opa:
    """`ports.PolicyEngine`. Sync, thread-safe; close it to end its processes."""

    def __init__(
        self,
        program: str,
        base: Mapping[str, str],
        *,
        deadline_s: float = DEADLINE_S,
        wait_s: float = WAIT_S,
        engines: int = opa_pool.ENGINES,
        memory_bytes: int = opa_pool.MEMORY_BYTES,
    ) -> None:
        """`base`: the driver and the library, part of every set (`opa_files.shipped`). `engines`: kept; more are never asked at once."""
        self._program = program
        self._base = dict(base)
        self._deadline_s, self._wait_s = deadline_s, wait_s
        self._memory_bytes = memory_bytes
        self._turns = opa_turns.Turns(min(PLACES, engines), each=PLACES_EACH, slow=PLACES_SLOW)
        self._pool = opa_pool.Pool(program, limit=engines, memory_bytes=memory_bytes)
        self._checked: set[str] = set()
        self._lock = threading.Lock()
        self._capabilities = b""

    def close(self) -> None:
        """End all OPA processes."""
        self._pool.close()

    def check(self, files: policy.PolicyFiles) -> None:
        """Compile the set as it will run: strict, with the driver, without the refused builtins."""
        if files.digest in self._checked:
            return
        _check_shape(files)
        with tempfile.TemporaryDirectory(prefix="plane-opa-check-") as name:
            folder = pathlib.Path(name)
            self._place(files, folder / "modules")
            (folder / "capabilities.json").write_bytes(self._allowed())
            try:
                done = self._run(["check", "--strict", "--capabilities=capabilities.json", "--format=json", "modules"], folder)
            except subprocess.TimeoutExpired as error:
                raise policy.PolicyInvalid(files.name, (f"OPA has not compiled it within {CHECK_S:g} s; make it smaller",)) from error
        if done.returncode:
            raise policy.PolicyInvalid(files.name, _problems(done.stderr + done.stdout))
        self._checked.add(files.digest)

    def violations(self, files: policy.PolicyFiles, question: policy.PolicyInput) -> tuple[policy.Violation, ...]:
        """Sorted violations of one query; the object's key is its text, `file` is left to the caller."""
        try:
            with self._turns.turn(question.context.tenant, files.digest, wait_s=self._wait_s) as turn:
                self.check(files)
                answer = self._ask(files, question, turn)
        except opa_turns.NoTurn as error:
            reason = f"no policy engine was free for {self._wait_s:g} s; look for policy sets that loop"
            raise policy.PolicyFailed(files.name, reason) from error
        if not isinstance(answer, dict) or "result" not in answer:
            raise policy.PolicyFailed(files.name, "the query is undefined; the driver is missing or does not fit this version")
        try:
            found = msgspec.convert(answer["result"], list[_Answer])
        except msgspec.ValidationError as error:
            raise policy.PolicyFailed(files.name, f"a rule's result is not an object: {error}") from error
        return tuple(sorted(_violation(files, one, question.manifests) for one in found))

    def _ask(self, files: policy.PolicyFiles, question: policy.PolicyInput, turn: opa_turns.Turn) -> object:
        """The answer; who gets none has its next query in the slow lane."""
        asked = msgspec.to_builtins(question)
        try:
            try:
                answer = self._ask_once(files, asked, turn)
            except opa_pool.EngineGone:
                answer = self._ask_once(files, asked, turn)  # it crashed, or was ended for another query's deadline: once more
        except opa_pool.EngineRefused as error:
            raise policy.PolicyFailed(files.name, f"OPA could not evaluate it: {error}") from error
        except opa_pool.EngineGone as error:
            self._turns.looped(turn.tenant, files.digest)
            raise policy.PolicyFailed(files.name, f"OPA ended before it answered: {error}") from error
        except opa_pool.EngineSlow as error:
            self._turns.looped(turn.tenant, files.digest)
            reason = f"no answer within {self._deadline_s:g} s; look for a rule that loops or compares all objects with all"
            raise policy.PolicyFailed(files.name, reason) from error
        self._turns.answered(turn.tenant, files.digest)
        return answer

    def _ask_once(self, files: policy.PolicyFiles, question: object, turn: opa_turns.Turn) -> object:
        """In the slow lane by an engine of the tenant's own, so that its end is nobody else's."""
        key, nice = (f"{files.digest} {turn.tenant}", NICE_SLOW) if turn.slow else (files.digest, 0)
        with self._pool.engine(key, place=lambda folder: self._place(files, folder), nice=nice) as engine:
            return engine.ask(question, timeout_s=self._deadline_s)

    def _place(self, files: policy.PolicyFiles, folder: pathlib.Path) -> None:
        for kind, modules in (("plane", self._base), ("set", files.files)):
            for name, text in modules.items():
                path = folder / kind / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")

    def _allowed(self) -> bytes:
        """This OPA's capabilities without the refused builtins and without any network."""
        with self._lock:
            if not self._capabilities:
                known = msgspec.json.decode(self._run(["capabilities", "--current"], pathlib.Path("/")).stdout)
                kept = [builtin for builtin in known["builtins"] if builtin["name"] not in REFUSED]
                self._capabilities = msgspec.json.encode({**known, "builtins": kept, "allow_net": []})
            return self._capabilities

    def _run(self, arguments: list[str], folder: pathlib.Path) -> subprocess.CompletedProcess[bytes]:
        command = opa_pool.launch([self._program, *arguments], memory_bytes=self._memory_bytes)
        return subprocess.run(command, cwd=folder, env={}, stdin=subprocess.DEVNULL, capture_output=True, timeout=CHECK_S, check=False)


def _check_shape(files: policy.PolicyFiles) -> None:
    """Refuse what would compile and then never be asked, or would reach into the driver or another set's packages."""
    problems = tuple(_shape_problems(files.files))
    if problems:
        raise policy.PolicyInvalid(files.name, problems)


def _shape_problems(files: Mapping[str, str]) -> Iterator[str]:
    rules: dict[str, str] = {}
    for name, text in sorted(files.items()):
        if not FILE_NAME.fullmatch(name):
            yield f"{name!r}: a file name consists of letters, digits, `_`, `-` and dots, and ends in .rego"
            continue
        row, line = _first_statement(text)
        package = PACKAGE.fullmatch(line)
        if package is None:
            yield f"{name}:{row}:1: {PACKAGE_RULE}"
        elif package["name"].startswith("plane."):
            rules[package["name"]] = rules.get(package["name"], "") + text
    yield from (
        f"package {package} has no rule named violations, so it would never refuse anything"
        for package, text in sorted(rules.items())
        if not VIOLATIONS.search(text)
    )
    if not rules:
        yield "it has no rule: " + PACKAGE_RULE


def _first_statement(text: str) -> tuple[int, str]:
    lines = ((row, line.strip()) for row, line in enumerate(text.splitlines(), 1))
    return next(((row, line) for row, line in lines if line and not line.startswith("#")), (1, ""))


def _problems(output: bytes) -> tuple[str, ...]:
    """OPA's errors as `file:row:col: message`, files named as in the set."""
    try:
        found = msgspec.json.decode(output)["errors"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return (output.decode("utf-8", "replace").strip()[:300],)
    return tuple(_problem(error.get("location") or {}, error["message"]) for error in found)


def _problem(location: Mapping[str, Any], message: str) -> str:
    file = str(location.get("file", "")).removeprefix("modules/").removeprefix("set/")
    return f"{file}:{location['row']}:{location['col']}: {message}" if file else message


def _violation(files: policy.PolicyFiles, answer: _Answer, manifests: tuple[dict[str, Any], ...]) -> policy.Violation:
    found = {**answer.about, **answer.found}
    if not isinstance(found.get("message"), str) or not 0 <= answer.index < len(manifests):
        raise policy.PolicyFailed(files.name, f"the rule {answer.rule} gave a result without a message")
    return policy.Violation(
        policy=files.name,
        rule=str(found.get("id", answer.rule)),
        object=str(objects.key_of(manifests[answer.index])),
        message=found["message"],
        severity=str(found.get("severity", "medium")),
        path=str(found.get("path", "")),
        remedy=str(found.get("remedy", "")),
    )
