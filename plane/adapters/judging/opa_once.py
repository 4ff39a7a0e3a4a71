"""One question to an OPA that ends with its answer, for a command that asks once; `opa` keeps servers for who asks often."""

import pathlib
import subprocess
import tempfile
from collections.abc import Mapping

import msgspec

from plane.adapters.judging import opa_sets
from plane.adapters.sandbox import opa_bounds
from plane.adapters.styles import admission
from plane.domain.judging import policy

DEADLINE_S = 10.0  # as of `opa`, so that a set which is too slow there is too slow here
QUERY = ["eval", "--strict-builtin-errors", "--format=json", "--bundle=modules", "--stdin-input", "data.plane.main.violations"]


class _Result(msgspec.Struct):
    """What `opa eval` prints: a value for each expression; none at all where the query is undefined."""

    result: list[dict[str, list[dict[str, object]]]] = []


class Once:
    """The violations that `opa.Opa` would find."""

    def __init__(
        self, program: str, base: Mapping[str, str], *, deadline_s: float = DEADLINE_S, memory_bytes: int = opa_bounds.MEMORY_BYTES
    ) -> None:
        """`base`: the driver and the library, part of every set (`opa_files.shipped`)."""
        self._deadline_s = deadline_s
        self._compiler = opa_sets.Compiler(program, base, memory_bytes=memory_bytes)

    def violations(self, files: policy.PolicyFiles, question: policy.PolicyInput) -> tuple[policy.Violation, ...]:
        """Sorted violations; the object's key is its text, `file` is left to the caller.

        Raises:
            PolicyInvalid: the set does not compile, or uses a refused builtin.
            PolicyFailed: undefined, garbage, deadline passed, engine gone.
        """
        opa_sets.check_shape(files)
        if files.style.kind == "admission":
            return admission.violations(files, question)
        try:
            done = self._ask(files, msgspec.json.encode(opa_sets.asked(files, question)))
        except subprocess.TimeoutExpired as error:
            self._compiler.check(files)
            raise opa_sets.slow(files, self._deadline_s) from error
        if done.returncode:
            raise self._failed(files, done)
        try:
            value = msgspec.json.decode(done.stdout, type=_Result).result
        except RecursionError as error:
            raise opa_sets.refused(files, opa_sets.TOO_DEEP) from error
        answer = {"result": value[0]["expressions"][0]["value"]} if value else {}
        return opa_sets.violations(files, answer, question.manifests)

    def _ask(self, files: policy.PolicyFiles, question: bytes) -> subprocess.CompletedProcess[bytes]:
        """Compiled and asked in one run: evaluation is as strict as `opa check`."""
        with tempfile.TemporaryDirectory(prefix="plane-opa-once-") as name:
            folder = pathlib.Path(name)
            strict = self._compiler.place(files, folder)
            allowed = f"--capabilities={opa_sets.CAPABILITIES}"
            return self._compiler.run([*QUERY, *strict, allowed], folder, given=question, timeout_s=self._deadline_s)

    def _failed(self, files: policy.PolicyFiles, done: subprocess.CompletedProcess[bytes]) -> policy.PolicyFailed:
        """Only now is it worth asking whether the set compiles; a compiler's words name file and row better."""
        self._compiler.check(files)
        if done.stdout.startswith(b"{"):
            return opa_sets.refused(files, opa_sets.reason(done.stdout))
        return opa_sets.gone(files, opa_bounds.last_words(done.stderr.decode("utf-8", "replace")))
