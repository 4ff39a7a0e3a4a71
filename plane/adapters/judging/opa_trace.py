"""Why a rule says what it says: a real OPA evaluates it about one object, and tells each step."""

import pathlib
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from typing import Any

import msgspec

from plane.adapters.judging import opa_sets, opa_steps
from plane.adapters.sandbox import opa_bounds
from plane.adapters.styles import admission, conftest, gatekeeper
from plane.domain import errors, objects
from plane.domain.judging import decisions, policy, traces

DEADLINE_S = 10.0  # as of a verdict
MOST_BYTES = 64 * 1024**2  # of what OPA tells; of a rule about a pod it is five
# Without the shortcuts by which OPA leaves out what cannot matter: the author asks what each line was.
WHOLE = ["--explain=full", "--disable-indexing", "--disable-early-exit"]
ABOUT = "about"  # a rule's METADATA as a value: nothing that could hold or fail
_PLANE = "modules/plane/"
_PLACE = re.compile("^modules/(set/|plane/|v[01]/)?")


class _Said(msgspec.Struct):
    """What `opa eval` prints. `errors` stand instead of a result."""

    result: list[dict[str, Any]] = []
    explanation: list[opa_steps.Event] = []
    errors: list[dict[str, Any]] = []


class Tracer:
    """Asks one rule about one object, by an OPA that ends with its answer. Thread-safe."""

    def __init__(self, compiler: opa_sets.Compiler, *, shipped: Iterable[str] = (), deadline_s: float = DEADLINE_S) -> None:
        """`shipped`: texts of rules that come with the plane."""
        self._compiler, self._deadline_s = compiler, deadline_s
        self._shipped = frozenset(tuple(text.splitlines()) for text in (*shipped, *compiler.base.values()))

    def trace(self, files: policy.PolicyFiles, question: policy.PolicyInput, wish: traces.Wish) -> traces.Trace:
        """The rows of the rule, and what each of them was.

        Raises:
            Invalid: the set has no such rule, or its rules are not evaluated by OPA.
            PolicyInvalid: it does not compile. PolicyFailed: no answer in time, or more of it than anybody reads.
        """
        if files.style.kind == "admission":
            return admission.steps(files, question, wish)
        self._compiler.check(files)
        asked = _asked(files, question, wish)
        said = self._ask(files, asked.query, msgspec.json.encode(asked.given))
        texts = self._texts(files, library=wish.library)
        made = [one for one in opa_steps.Reader(asked.given, frozenset(texts)).read(said.explanation, texts) if one.name != ABOUT]
        shown = tuple(self._named(one, texts[one.file]) for one in made[: traces.DEFINITIONS])
        about = opa_sets.WHOLE if wish.manifest is None else str(objects.key_of(question.manifests[wish.manifest]))
        left_out = f"{len(made) - len(shown):,} more definitions were evaluated" if len(made) > len(shown) else ""
        return traces.Trace(files.name, wish.rule, about, _found(said, wish.manifest), shown, asked.note or left_out)

    def _named(self, one: traces.Definition, rows: list[str]) -> traces.Definition:
        file = _PLACE.sub("", one.file)
        return msgspec.structs.replace(one, file=file, shipped=tuple(rows) in self._shipped)

    def _texts(self, files: policy.PolicyFiles, *, library: bool) -> dict[str, list[str]]:
        """Rows by place of those files whose rules are told of."""
        laid = {f"modules/{name}": text.splitlines() for name, text in self._compiler.laid(files).files.items()}
        return {name: rows for name, rows in laid.items() if library or not name.startswith(_PLANE)}

    def _ask(self, files: policy.PolicyFiles, query: str, asked: bytes) -> _Said:
        with tempfile.TemporaryDirectory(prefix="plane-opa-trace-") as name:
            folder = pathlib.Path(name)
            strict = self._compiler.place(files, folder)
            (folder / "input.json").write_bytes(asked)
            bounds = [*strict, f"--capabilities={opa_sets.CAPABILITIES}", "--strict-builtin-errors"]
            words = ["eval", *WHOLE, "--format=json", "--bundle=modules", "--stdin-input", *bounds, query]
            body = self._run(files, words, folder)
            if len(body) > MOST_BYTES:
                reason = f"its trace is longer than {MOST_BYTES // 1024**2} MiB; name one object, and a rule that looks at it alone"
                raise policy.PolicyFailed(files.name, reason)
            try:
                said = msgspec.json.decode(body, type=_Said)
            except msgspec.DecodeError as error:
                raise opa_sets.gone(files, opa_bounds.last_words((folder / "errors").read_text("utf-8", "replace"))) from error
        if said.errors:
            raise opa_sets.refused(files, opa_sets.reason(body))
        return said

    def _run(self, files: policy.PolicyFiles, words: list[str], folder: pathlib.Path) -> bytes:
        """What it prints, as far as one is willing to hold it."""
        command, late = self._compiler.command(words), threading.Event()
        with (folder / "input.json").open("rb") as given, (folder / "errors").open("wb") as wrong:
            process = subprocess.Popen(command, cwd=folder, env={}, stdin=given, stdout=subprocess.PIPE, stderr=wrong)
        with process:

            def end() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(self._deadline_s, end)
            timer.start()
            body = process.stdout.read(MOST_BYTES + 1) if process.stdout else b""
            timer.cancel()
            process.kill()
        if late.is_set():
            raise opa_sets.slow(files, self._deadline_s)
        return body


class _Asked(msgspec.Struct, frozen=True):
    """What OPA evaluates, over which input. `note`: what one should know of it."""

    query: str
    given: Any
    note: str = ""


def _asked(files: policy.PolicyFiles, question: policy.PolicyInput, wish: traces.Wish) -> _Asked:
    """The rule alone, as its driver has it evaluated, over the input that its driver gives it."""
    match files.style.kind:
        case "conftest":
            given = conftest.asked(files, question)["files"] if files.style.combine else question.manifests[_one(wish)]
            return _Asked(conftest.query(files, wish.rule), given)
        case "gatekeeper":
            alone = gatekeeper.alone(files, question, wish.rule, _one(wish))
            return _Asked(alone.query, alone.given, "the constraint's match leaves this object out" if alone.leaves_out else "")
        case "plane" | "admission":
            one = {} if wish.manifest is None else {"manifest": question.manifests[wish.manifest]}
            return _Asked(_query(files, wish), {**msgspec.to_builtins(question), **one})


def _one(wish: traces.Wish) -> int:
    if wish.manifest is None:
        raise errors.Invalid({"object": f"the rule {wish.rule} is asked about each object; name one"})
    return wish.manifest


def _query(files: policy.PolicyFiles, wish: traces.Wish) -> str:
    """What a rule of the plane's is asked."""
    known = decisions.packages(files.files)
    if wish.rule not in known:
        raise errors.Invalid({"rule": f"policy set {files.name} has no rule {wish.rule!r}; it has {', '.join(sorted(known))}"})
    asked = decisions.questions_of(files.files, wish.rule)
    parts = [part for part in asked if part == traces.RELEASE or wish.manifest is not None]
    if not parts:
        _one(wish)
    return "; ".join(f"data.plane.rules.{known[wish.rule]}.{part}" for part in parts)


def _found(said: _Said, about: int | None) -> tuple[str, ...]:
    """Messages of what the rule found in this object, as the plane's rules, conftest's or Gatekeeper's have them."""
    values = [one["value"] for row in said.result for one in row.get("expressions", ())]
    found = [one if isinstance(one, dict) else {"message": one} for value in values if isinstance(value, list) for one in value]
    here = [one for one in found if about is None or one.get("object", about) == about or not isinstance(one["object"], int)]
    return tuple(sorted({str(one.get("message", one.get("msg", ""))) for one in here}))[: traces.FOUND]
