"""Policy by a real OPA: `ports.PolicyEngine` over opa-python-client, compile checks by the program itself."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence

from plane.adapters.judging import opa_bundles, opa_files, opa_pool, opa_sets, opa_tests, opa_trace, opa_turns
from plane.adapters.sandbox import opa_bounds
from plane.adapters.styles import admission
from plane.domain import trust
from plane.domain.judging import bundles, origins, policy, traces

DEADLINE_S = 10.0  # 1,000 manifests take well under a second; a set that needs this long loops
WAIT_S = 60.0  # for a turn: six deadlines, so that even places full of sets that loop come free
PLACES = 4 * (os.cpu_count() or 2)  # queries at once; four tenants that loop for the first time fill them for one deadline
PLACES_EACH = PLACES // 4  # a core's worth: one tenant alone loses nothing by it
PLACES_SLOW = 2  # of what looped before, by however many tenants
NICE_SLOW = 10  # it gives way to whatever else wants the processor


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
        memory_bytes: int = opa_bounds.MEMORY_BYTES,
    ) -> None:
        """`base`: the driver and the library, part of every set (`opa_files.shipped`). `engines`: kept; more are never asked at once."""
        self._deadline_s, self._wait_s = deadline_s, wait_s
        self._compiler = opa_sets.Compiler(program, base, memory_bytes=memory_bytes)
        self._tracer = opa_trace.Tracer(self._compiler, shipped=opa_files.shipped().texts.values(), deadline_s=deadline_s)
        self._turns = opa_turns.Turns(min(PLACES, engines), each=PLACES_EACH, slow=PLACES_SLOW)
        self._pool = opa_pool.Pool(program, limit=engines, memory_bytes=memory_bytes)

    def close(self) -> None:
        """End all OPA processes."""
        self._pool.close()

    def version(self) -> str:
        """As records name it."""
        return self._compiler.version()

    def check(self, files: policy.PolicyFiles, tests: Mapping[str, str] = {}) -> None:
        """Compile the set as it will run: strict, with the driver, without the refused builtins; then run its tests."""
        self._compiler.check(files)
        if tests:
            opa_tests.check(self._compiler, files, tests)

    def open(self, packed: bytes, keys: Sequence[trust.Trusted]) -> tuple[bundles.Bundle, origins.Signed]:
        """What an OPA bundle holds besides the plane's own library, and who signed it."""
        return opa_bundles.opened(self._compiler, packed, keys)

    def violations(self, files: policy.PolicyFiles, question: policy.PolicyInput) -> tuple[policy.Violation, ...]:
        """Sorted violations of one query; the object's key is its text, `file` is left to the caller."""
        with self._turn(files, question) as turn:
            self.check(files)
            if files.style.kind == "admission":
                return admission.violations(files, question)
            answer = self._ask(files, question, turn)
        return opa_sets.violations(files, answer, question.manifests)

    def rules(self, files: policy.PolicyFiles) -> tuple[str, ...]:
        """What violations call the rules of a set, sorted."""
        return opa_sets.rules(files)

    def trace(self, files: policy.PolicyFiles, question: policy.PolicyInput, wish: traces.Wish) -> traces.Trace:
        """What the lines of one rule were; by an OPA of its own, which takes a tenant's turn like any query."""
        with self._turn(files, question):
            return self._tracer.trace(files, question, wish)

    @contextlib.contextmanager
    def _turn(self, files: policy.PolicyFiles, question: policy.PolicyInput) -> Iterator[opa_turns.Turn]:
        try:
            with self._turns.turn(question.context.tenant, files.digest, wait_s=self._wait_s) as turn:
                yield turn
        except opa_turns.NoTurn as error:
            reason = f"no policy engine was free for {self._wait_s:g} s; look for policy sets that loop"
            raise policy.PolicyFailed(files.name, reason) from error

    def _ask(self, files: policy.PolicyFiles, question: policy.PolicyInput, turn: opa_turns.Turn) -> object:
        """The answer; who gets none has its next query in the slow lane."""
        asked = opa_sets.asked(files, question)
        try:
            try:
                answer = self._ask_once(files, asked, turn)
            except opa_pool.EngineGone:
                answer = self._ask_once(files, asked, turn)  # it crashed, or was ended for another query's deadline: once more
        except opa_pool.EngineRefused as error:
            raise opa_sets.refused(files, error) from error
        except opa_pool.EngineGone as error:
            self._turns.looped(turn.tenant, files.digest)
            raise opa_sets.gone(files, error) from error
        except opa_pool.EngineSlow as error:
            self._turns.looped(turn.tenant, files.digest)
            raise opa_sets.slow(files, self._deadline_s) from error
        self._turns.answered(turn.tenant, files.digest)
        return answer

    def _ask_once(self, files: policy.PolicyFiles, question: object, turn: opa_turns.Turn) -> object:
        """In the slow lane by an engine of the tenant's own, so that its end is nobody else's."""
        key, nice = (f"{files.digest} {turn.tenant}", NICE_SLOW) if turn.slow else (files.digest, 0)
        with self._pool.engine(key, place=lambda folder: self._compiler.place_modules(files, folder), nice=nice) as engine:
            return engine.ask(question, timeout_s=self._deadline_s)
