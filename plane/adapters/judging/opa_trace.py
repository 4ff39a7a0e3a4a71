"""Why a rule says what it says: a real OPA evaluates it about one object, and tells each step."""

import pathlib
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from typing import Any

import msgspec

from plane.adapters.judging import opa_sets, opa_steps
from plane.adapters.sandbox import opa_bounds
from plane.domain import errors, objects
from plane.domain.judging import decisions, policy, traces

DEADLINE_S = 10.0  # as of a verdict
MOST_BYTES = 64 * 1024**2  # of what OPA tells; of a rule about a pod it is five
# Without the shortcuts by which OPA leaves out what cannot matter: the author asks what each line was.
WHOLE = ["--explain=full", "--disable-indexing", "--disable-early-exit"]
ABOUT = "about"  # a rule's METADATA as a value: nothing that could hold or fail
_SET, _PLANE = "modules/set/", "modules/plane/"


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
        asked = msgspec.to_builtins(_asked(files, question, wish))
        query = _query(files, wish)
        self._compiler.check(files)
        said = self._ask(files, query, msgspec.json.encode(asked))
        texts = self._texts(files, library=wish.library)
        made = [one for one in opa_steps.Reader(asked, frozenset(texts)).read(said.explanation, texts) if one.name != ABOUT]
        shown = tuple(self._named(one, texts[one.file]) for one in made[: traces.DEFINITIONS])
        about = opa_sets.WHOLE if wish.manifest is None else str(objects.key_of(question.manifests[wish.manifest]))
        more = f"{len(made) - len(shown):,} more definitions were evaluated" if len(made) > len(shown) else ""
        return traces.Trace(files.name, wish.rule, about, _found(said, wish.manifest), shown, more)

    def _named(self, one: traces.Definition, rows: list[str]) -> traces.Definition:
        file = one.file.removeprefix(_SET).removeprefix(_PLANE)
        return msgspec.structs.replace(one, file=file, shipped=tuple(rows) in self._shipped)

    def _texts(self, files: policy.PolicyFiles, *, library: bool) -> dict[str, list[str]]:
        """Rows by place of those files whose rules are told of."""
        shared = {f"{_PLANE}{name}": text.splitlines() for name, text in self._compiler.base.items()} if library else {}
        return {f"{_SET}{name}": text.splitlines() for name, text in files.files.items()} | shared

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


def _query(files: policy.PolicyFiles, wish: traces.Wish) -> str:
    """What OPA evaluates: the package of the rule, and of a set for another tool all that its driver asks."""
    if files.style.kind == "admission":
        raise errors.Invalid({"rule": "a ValidatingAdmissionPolicy is CEL, which tells no steps; its messages say what it found"})
    if files.style.kind != "plane":
        return "data.plane.main.violations"
    known = decisions.packages(files.files)
    if wish.rule not in known:
        raise errors.Invalid({"rule": f"policy set {files.name} has no rule {wish.rule!r}; it has {', '.join(sorted(known))}"})
    asked = decisions.questions_of(files.files, wish.rule)
    parts = [part for part in asked if part == traces.RELEASE or wish.manifest is not None]
    if not parts:
        raise errors.Invalid({"object": f"the rule {wish.rule} is asked about each object; name one"})
    return "; ".join(f"data.plane.rules.{known[wish.rule]}.{part}" for part in parts)


def _asked(files: policy.PolicyFiles, question: policy.PolicyInput, wish: traces.Wish) -> object:
    """The input: that of the driver, or of a rule of the plane's what its driver gives it."""
    if files.style.kind == "plane":
        one = {} if wish.manifest is None else {"manifest": question.manifests[wish.manifest]}
        return {**msgspec.to_builtins(question), **one}
    alone = files.style.kind == "conftest" and wish.manifest is not None
    narrowed = (question.manifests[wish.manifest],) if alone and wish.manifest is not None else question.manifests
    return opa_sets.asked(files, msgspec.structs.replace(question, manifests=narrowed))


def _found(said: _Said, about: int | None) -> tuple[str, ...]:
    """Messages of what the rule found in this object."""
    values = [one["value"] for row in said.result for one in row.get("expressions", ())]
    found = [one.get("found", one) for value in values if isinstance(value, list) for one in value if isinstance(one, dict)]
    here = [one for one in found if about is None or one.get("object", about) == about or not isinstance(one["object"], int)]
    return tuple(sorted({str(one.get("message", "")) for one in here}))[: traces.FOUND]
