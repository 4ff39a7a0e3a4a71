"""Policy sets as OPA gets them: their shape, their place in a folder, what they may call, whether they compile, what their answers say."""

import pathlib
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from plane.adapters.sandbox import opa_bounds
from plane.adapters.styles import admission, conftest, gatekeeper, layout
from plane.domain import errors, objects
from plane.domain.judging import decisions, policy, styles
from plane.domain.reading import documents

CHECK_S = 20.0
CAPABILITIES = "capabilities.json"
WHOLE = "the release"  # what a violation of no single object is about

# What a verdict must not depend on: the network, the machine, chance and the clock (rules get `input.context.now`).
REFUSED = frozenset({
    "http.send",
    "io.jwt.decode_verify",
    "io.jwt.encode_sign",
    "io.jwt.encode_sign_raw",
    "net.lookup_ip_addr",
    "opa.runtime",
    "providers.aws.sign_req",
    "rand.intn",
    "rego.parse_module",
    "time.now_ns",
    "uuid.rfc4122",
})  # fmt: skip

# An allow-list of spellings: `package plane["main"]` is the driver's package too.
PACKAGE = re.compile(r"package[ \t]+(?P<name>plane\.rules\.[A-Za-z_]\w*|lib(\.[A-Za-z_]\w*)*)[ \t]*(#.*)?")
PACKAGE_RULE = "a policy set consists of packages plane.rules.NAME, and lib or lib.NAME for what they share"
VERSION = re.compile(rb"^Version: (\S+)", re.MULTILINE)
TOO_DEEP = "it answers with values that are nested too deeply to be read"
MOST_CHARS = 2000  # of what OPA says
_COUNT = re.compile(r"\d+ errors? occurred(?: during loading)?:")
VIOLATIONS = re.compile(r"^(release_)?violations\b", re.MULTILINE)


class _Answer(msgspec.Struct, rename="camel"):
    """One answer of a driver (policies/main.rego, or a style's)."""

    rule: str
    index: int
    found: dict[str, Any]
    about: dict[str, Any] = {}
    at_most: policy.Mode = "deny"
    excepted: bool = False


class Compiler:
    """Checks sets with the program itself and lays them out for it. Thread-safe."""

    def __init__(self, program: str, base: Mapping[str, str], *, memory_bytes: int = opa_bounds.MEMORY_BYTES) -> None:
        """`base`: the driver and the library, part of every set (`opa_files.shipped`)."""
        self._program = program
        self.base = dict(base)
        self._memory_bytes = memory_bytes
        self._checked: set[str] = set()
        self._lock = threading.Lock()
        self._capabilities = b""
        self._version = ""

    def version(self) -> str:
        """The program's own word for itself, such as `opa 1.9.0`."""
        with self._lock:
            if not self._version:
                found = VERSION.search(self.run(["version"], pathlib.Path("/")).stdout)
                self._version = f"opa {found[1].decode()}" if found else "opa"
            return self._version

    def check(self, files: policy.PolicyFiles) -> None:
        """Compile the set as it will run: strict, with the driver, without the refused builtins.

        Raises:
            PolicyInvalid: with file, row and column.
        """
        if files.digest in self._checked:
            return
        check_shape(files)
        if files.style.kind == "admission":
            admission.check(files)
            self._checked.add(files.digest)
            return
        with tempfile.TemporaryDirectory(prefix="plane-opa-check-") as name:
            folder = pathlib.Path(name)
            strict = self.place(files, folder)
            try:
                done = self.run(["check", *strict, f"--capabilities={CAPABILITIES}", "--format=json", "--bundle", "modules"], folder)
            except subprocess.TimeoutExpired as error:
                raise policy.PolicyInvalid(files.name, (f"OPA has not compiled it within {CHECK_S:g} s; make it smaller",)) from error
        if done.returncode:
            raise policy.PolicyInvalid(files.name, located(done.stderr + done.stdout))
        self._checked.add(files.digest)

    def place(self, files: policy.PolicyFiles, folder: pathlib.Path) -> list[str]:
        """The set with its driver in the folder `modules`, and beside it what they may call; OPA's options that go with it."""
        laid = self.place_modules(files, folder / "modules")
        (folder / CAPABILITIES).write_bytes(self.allowed())
        return ["--strict"] if laid.strict else []

    def place_modules(self, files: policy.PolicyFiles, folder: pathlib.Path) -> layout.Laid:
        """The set with its driver, as a bundle."""
        laid = self.laid(files)
        for name, text in laid.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return laid

    def run(
        self, arguments: list[str], folder: pathlib.Path, *, given: bytes = b"", timeout_s: float | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """One run of the program to its end; subprocess.TimeoutExpired after the time, CHECK_S when not given."""
        wait_s = timeout_s or CHECK_S
        return subprocess.run(self.command(arguments), cwd=folder, env={}, input=given, capture_output=True, timeout=wait_s, check=False)

    def command(self, arguments: list[str]) -> list[str]:
        """The program with these arguments, within its bounds."""
        return opa_bounds.launch([self._program, *arguments], memory_bytes=self._memory_bytes)

    def laid(self, files: policy.PolicyFiles) -> layout.Laid:
        """Files of the bundle that OPA gets."""
        match files.style.kind:
            case "conftest":
                return conftest.laid(files)
            case "gatekeeper":
                return gatekeeper.laid(files)
            case "plane" | "admission":
                return self._own(files)

    def _own(self, files: policy.PolicyFiles) -> layout.Laid:
        """Data stays under its folder's name, which is its path for rules."""
        base = {f"plane/{name}": text for name, text in self.base.items()}
        own = {name if _is_data(name) else f"set/{name}": text for name, text in files.files.items()}
        return layout.Laid({**own, **base})

    def allowed(self) -> bytes:
        """This OPA's capabilities without the refused builtins and without any network."""
        with self._lock:
            if not self._capabilities:
                known = msgspec.json.decode(self.run(["capabilities", "--current"], pathlib.Path("/")).stdout)
                kept = [builtin for builtin in known["builtins"] if builtin["name"] not in REFUSED]
                self._capabilities = msgspec.json.encode({**known, "builtins": kept, "allow_net": []})
            return self._capabilities


def rules(files: policy.PolicyFiles) -> tuple[str, ...]:
    """What violations call the rules of a set, sorted."""
    match files.style.kind:
        case "conftest":
            return conftest.rules(files)
        case "gatekeeper":
            return tuple(sorted(one.rule for one in gatekeeper.read(files).constraints))
        case "admission":
            return tuple(sorted(one.rule for one in admission.read(files).bindings))
        case "plane":
            return decisions.rule_ids(files.files)


def asked(files: policy.PolicyFiles, question: policy.PolicyInput) -> object:
    """The input of the set's driver.

    Raises:
        PolicyFailed: something that it must know is not known.
    """
    match files.style.kind:
        case "conftest":
            return conftest.asked(files, question)
        case "gatekeeper":
            return gatekeeper.asked(files, question)
        case "plane" | "admission":
            return question


def violations(files: policy.PolicyFiles, answer: object, manifests: tuple[dict[str, Any], ...]) -> tuple[policy.Violation, ...]:
    """What the driver's answer says, sorted.

    Raises:
        PolicyFailed: it is none.
    """
    if not isinstance(answer, dict) or "result" not in answer:
        raise policy.PolicyFailed(files.name, "the query is undefined; the driver is missing or does not fit this version")
    try:
        found = msgspec.convert(answer["result"], list[_Answer])
    except msgspec.ValidationError as error:
        raise policy.PolicyFailed(files.name, f"a rule's result is not an object: {error}") from error
    return tuple(sorted(_violation(files, one, manifests) for one in found))


def slow(files: policy.PolicyFiles, deadline_s: float) -> policy.PolicyFailed:
    """It has not answered in time."""
    reason = f"no answer within {deadline_s:g} s; look for a rule that loops or compares all objects with all"
    return policy.PolicyFailed(files.name, reason)


def gone(files: policy.PolicyFiles, why: object) -> policy.PolicyFailed:
    """It ended before it answered."""
    return policy.PolicyFailed(files.name, f"OPA ended before it answered: {why}")


def refused(files: policy.PolicyFiles, why: object) -> policy.PolicyFailed:
    """It answered with an error."""
    return policy.PolicyFailed(files.name, f"OPA could not evaluate it: {why}")


def check_shape(files: policy.PolicyFiles) -> None:
    """Refuse what would compile and then never be asked, or would reach into the driver or another set's packages."""
    named = tuple(f"{name!r}: {bad}" for name in sorted(files.files) if (bad := styles.file_problem(files.style, name)))
    problems = named or tuple(_problems_of(files))
    if problems:
        raise policy.PolicyInvalid(files.name, problems)


def reason(answer: bytes) -> str:
    """OPA's first error in one line; its own words only, at most 300 characters."""
    try:
        body = msgspec.json.decode(answer)
        first = (body.get("errors") or [body])[0]
        return str(first["message"])[:300]
    except (msgspec.DecodeError, AttributeError, KeyError, IndexError, TypeError):
        return "it gave no reason"


def _problems_of(files: policy.PolicyFiles) -> Iterator[str]:
    match files.style.kind:
        case "conftest":
            return conftest.problems(files)
        case "gatekeeper":
            return gatekeeper.problems(files)
        case "admission":
            return iter(admission.read(files).problems)
        case "plane":
            return _shape_problems(files.files)


def _shape_problems(files: Mapping[str, str]) -> Iterator[str]:
    rules: dict[str, str] = {}
    yield from (f"{name}: {bad}" for name, text in sorted(files.items()) if _is_data(name) and (bad := _data_problem(name, text)))
    for name, text in sorted(files.items()):
        if _is_data(name):
            continue
        row, line = _first_statement(text)
        package = PACKAGE.fullmatch(line)
        if package is None:
            yield f"{name}:{row}:1: {PACKAGE_RULE}"
        elif package["name"].startswith("plane."):
            rules[package["name"]] = rules.get(package["name"], "") + text
    yield from (
        f"package {package} has no rule named violations or release_violations, so it would never refuse anything"
        for package, text in sorted(rules.items())
        if not VIOLATIONS.search(text)
    )
    if not rules:
        yield "it has no rule: " + PACKAGE_RULE


def _is_data(name: str) -> bool:
    return not name.endswith(".rego")


def _data_problem(name: str, text: str) -> str:
    """Why it cannot lie beside the driver, or the empty string; OPA takes JSON for YAML where it can."""
    try:
        value = [one.value for one in documents.read(text.encode(), file=name)]
    except errors.PlaneError as error:
        return str(error)
    if len(value) != 1 or not isinstance(value[0], dict):
        return "data is one mapping"
    first = name.rpartition("/")[0].partition("/")[0]
    taken = layout.RESERVED & ({first} if first else value[0].keys())
    return f"data below {min(taken)!r} belongs to the plane or to OPA; move it elsewhere" if taken else ""


def _first_statement(text: str) -> tuple[int, str]:
    lines = ((row, line.strip()) for row, line in enumerate(text.splitlines(), 1))
    return next(((row, line) for row, line in lines if line and not line.startswith("#")), (1, ""))


def said(output: bytes) -> str:
    """All of OPA's errors in one line, without the line that counts them."""
    lines = (_COUNT.sub("", line).strip() for line in output.decode("utf-8", "replace").splitlines())
    return "; ".join(filter(None, lines))[:MOST_CHARS]


def located(output: bytes) -> tuple[str, ...]:
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
    if not isinstance(found.get("message"), str) or not -1 <= answer.index < len(manifests):
        raise policy.PolicyFailed(files.name, f"the rule {answer.rule} gave a result without a message")
    return policy.Violation(
        policy=files.name,
        rule=str(found.get("id", answer.rule)),
        object=str(objects.key_of(manifests[answer.index])) if answer.index >= 0 else str(found.get("object", WHOLE)),
        message=found["message"],
        severity=str(found.get("severity", "medium")),
        path=str(found.get("path", "")),
        remedy=str(found.get("remedy", "")),
        at_most=answer.at_most,
        excepted=answer.excepted,
    )
