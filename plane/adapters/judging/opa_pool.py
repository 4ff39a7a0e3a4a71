"""OPA processes: one per policy set, started when asked for, kept idle, replaced when one crashes or passes its deadline."""

import collections
import concurrent.futures
import contextlib
import io
import pathlib
import resource
import secrets
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import opa_client.opa
import requests
import requests.adapters
import urllib3
import urllib3.connection

from plane.adapters.judging import opa_sets
from plane.adapters.sandbox import opa_bounds

START_S = 20.0  # OPA is ready in about 0.1 s; a loaded machine may need more
KEPT_BYTES = 1024**3  # of all idle ones together; one with the shipped set holds about 10 MiB of its own
ENGINES = 64
ANSWER_BYTES = 64 * 1024**2  # 100,000 violations of a few hundred letters; who says more floods whoever reads it

AUTHZ = """package system.authz

default allow := false

allow if {{
	input.identity == "{token}"
	[input.method, input.path] in [["POST", ["v1", "data", "plane", "main", "violations"]], ["GET", ["health"]]]
}}
"""


class EngineGone(Exception):
    """The process ended, or was ended for another query's sake, before it answered."""


class EngineSlow(Exception):
    """The deadline passed; the process has been ended."""


class EngineRefused(Exception):
    """OPA answered with an error; the text is OPA's."""


class Engine:
    """One OPA on a Unix socket in a folder only we can enter, for one question only."""

    def __init__(self, process: subprocess.Popen[bytes], folder: pathlib.Path, token: str) -> None:
        self.process = process
        self._folder = folder
        self._client = _SocketClient(folder / "opa.sock", token)

    def wait_until_ready(self, deadline: float) -> None:
        """Return when OPA says it is healthy; EngineGone with its last words when it ends or the deadline passes."""
        while not self._client.check_health():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise EngineGone(self._last_words())
            time.sleep(0.01)

    def ask(self, question: object, *, timeout_s: float) -> Any:  # noqa: ANN401 - whatever OPA says; the caller decodes it
        """OPA's whole answer to the driver's query."""
        self._client.timeout = timeout_s
        try:
            return self._client.query_rule(question, "plane.main", "violations", {"strict-builtin-errors": "true"})
        except requests.exceptions.Timeout as error:
            self.end()
            raise EngineSlow from error
        except requests.exceptions.HTTPError as error:
            raise EngineRefused(opa_sets.reason(error.response.content if error.response is not None else b"")) from error
        except requests.exceptions.JSONDecodeError as error:
            if not error.doc:  # it went within the headers
                self.end()
                raise EngineGone(self._last_words()) from error
            message = "answered something that is not JSON"
            raise EngineRefused(message) from error
        except RecursionError as error:
            raise EngineRefused(opa_sets.TOO_DEEP) from error
        except requests.exceptions.RequestException as error:
            self.end()  # it may be dying still, and nobody should be sent to it
            raise EngineGone(self._last_words()) from error

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def end(self) -> None:
        """Kill the process; what waits for its answer gets EngineGone."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._client.close_connection()

    def _last_words(self) -> str:
        try:
            return opa_bounds.last_words((self._folder / "opa.log").read_text("utf-8", "replace"))
        except FileNotFoundError:  # another thread has replaced the engine already
            return opa_bounds.last_words("")


class Pool:
    """Engines by key, kept for the next query. What is idle goes when there are more than `limit` or they hold more than `kept_bytes`.

    Engines in use are never ended for others: how many are in use at once is the caller's to bound. Thread-safe.
    """

    def __init__(
        self, program: str, *, limit: int = ENGINES, memory_bytes: int = opa_bounds.MEMORY_BYTES, kept_bytes: int = KEPT_BYTES
    ) -> None:
        self._program = program
        self._limit = limit
        self._memory_bytes = memory_bytes
        self._kept_bytes = kept_bytes
        self._lock = threading.Lock()
        self._engines: collections.OrderedDict[str, _Slot] = collections.OrderedDict()
        # The kernel's parent-death signal follows the thread that started the child, so one thread that lasts starts them all.
        self._starter = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="opa-starter")

    @contextlib.contextmanager
    def engine(self, key: str, *, place: Callable[[pathlib.Path], object], nice: int = 0) -> Iterator[Engine]:
        """The engine of a key; `place` writes its modules when it must be started. EngineGone: it does not start."""
        slot = self._take(key)
        try:
            yield slot.running(lambda folder: self._start(folder, place, nice))
        finally:
            with self._lock:
                slot.users -= 1
                slot.measure()
                self._end_idle(self._limit)

    def close(self) -> None:
        """End every process; the pool is of no use afterwards."""
        with self._lock:
            slots = list(self._engines.values())
            self._engines.clear()
        for slot in slots:
            slot.close()
        self._starter.shutdown()

    def _take(self, key: str) -> "_Slot":
        with self._lock:
            if key not in self._engines:
                self._end_idle(self._limit - 1)
            slot = self._engines.setdefault(key, _Slot())
            self._engines.move_to_end(key)
            slot.users += 1
            return slot

    def _end_idle(self, most: int) -> None:
        """The largest goes while they hold too much memory, the one unused for longest while there are too many."""
        idle = [key for key, slot in self._engines.items() if not slot.users]
        while idle:
            if sum(slot.size_bytes for slot in self._engines.values()) > self._kept_bytes:
                key = max(idle, key=lambda one: self._engines[one].size_bytes)
            elif len(self._engines) > most:
                key = idle[0]
            else:
                return
            idle.remove(key)
            self._engines.pop(key).close()

    def _start(self, folder: pathlib.Path, place: Callable[[pathlib.Path], object], nice: int) -> Engine:
        token = secrets.token_urlsafe(24)
        place(folder / "modules")
        (folder / "modules" / "authz.rego").write_text(AUTHZ.format(token=token))
        engine = Engine(self._starter.submit(self._spawn, folder, nice).result(), folder, token)
        try:
            engine.wait_until_ready(time.monotonic() + START_S)
        except EngineGone:
            engine.end()
            raise
        return engine

    def _spawn(self, folder: pathlib.Path, nice: int) -> subprocess.Popen[bytes]:
        opa = [self._program, "run", "--server", "--addr", f"unix://{folder}/opa.sock", "--authentication=token", "--authorization=basic"]
        quiet = ["--skip-version-check", "--log-level=error", "--log-format=json"]
        modules = ["--bundle", "modules"]  # not its place: OPA names it in what it says
        with (folder / "opa.log").open("wb") as log:
            return subprocess.Popen(
                opa_bounds.launch([*opa, *quiet, *modules], memory_bytes=self._memory_bytes, nice=nice),
                env={"HOME": str(folder)},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


class _Slot:
    """A place in the pool: its engine while one runs, its folder, and how many threads are using it."""

    def __init__(self) -> None:
        self.users = 0
        self.size_bytes = 0  # of its own, when it was last used
        self._starting = threading.Lock()
        self._engine: Engine | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def running(self, start: Callable[[pathlib.Path], Engine]) -> Engine:
        with self._starting:
            if self._engine is None or not self._engine.alive():
                self.close()
                self._folder = tempfile.TemporaryDirectory(prefix="plane-opa-")
                self._engine = start(pathlib.Path(self._folder.name))
            return self._engine

    def measure(self) -> None:
        """Read `size_bytes` anew; what engines share, the program's text, does not count."""
        self.size_bytes = _own_bytes(self._engine.process.pid) if self._engine is not None else 0

    def close(self) -> None:
        if self._engine is not None:
            self._engine.end()
            self._engine = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


class _SocketClient(opa_client.opa.OpaClient):  # type: ignore[misc]  # the package ships no types
    """The client over a Unix socket; host and port are never looked at. No retries: the pool decides about those."""

    def __init__(self, path: pathlib.Path, token: str) -> None:
        self._path = path
        super().__init__(token=token, retries=0, timeout=START_S)

    def _init_session(self) -> requests.Session:
        session = _Session()
        session.trust_env = False
        session.headers.update({**self.headers, "Content-Type": "application/json"})
        session.mount("http://", _SocketAdapter(self._path))
        return session


class _Session(requests.Session):
    """Encodes questions as they are: through plain data and the client's encoder 1,000 manifests took 13 ms of CPU, not 6."""

    def post(self, url: str | bytes, data: Any = None, json: Any = None, **options: Any) -> requests.Response:  # noqa: ANN401 - requests'
        if json is None:
            return super().post(url, data, **options)
        asked = requests.Request("POST", url, data=msgspec.json.encode(json), headers=self.headers)
        return self.send(asked.prepare(), **options)


class _SocketAdapter(requests.adapters.HTTPAdapter):
    def __init__(self, path: pathlib.Path) -> None:
        super().__init__(max_retries=0)
        self._pool = _SocketPool(path)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:  # noqa: ANN401 - requests'
        """The answer as far as one is willing to hold it; EngineRefused when it is longer."""
        answer = super().send(request, *args, **{**options, "stream": True})
        try:
            body = answer.raw.read(ANSWER_BYTES + 1, decode_content=True)
        except urllib3.exceptions.ReadTimeoutError as error:  # as requests would have it, had it read the body
            raise requests.exceptions.ReadTimeout(error, request=request) from error
        except urllib3.exceptions.HTTPError as error:
            raise requests.exceptions.ConnectionError(error, request=request) from error
        if len(body) > ANSWER_BYTES:
            answer.raw.close()
            message = f"it answers with more than {ANSWER_BYTES // 1024**2} MiB; find fewer violations, or say less of each"
            raise EngineRefused(message)
        answer.raw.release_conn()
        answer.raw = io.BytesIO(body)
        return answer

    def get_connection_with_tls_context(self, *_args: object, **_options: object) -> "_SocketPool":
        return self._pool

    def close(self) -> None:
        self._pool.close()


class _SocketPool(urllib3.HTTPConnectionPool):
    def __init__(self, path: pathlib.Path) -> None:
        super().__init__("localhost", maxsize=16)
        self._path = path

    def _new_conn(self) -> urllib3.connection.HTTPConnection:
        return _SocketConnection(self._path)


class _SocketConnection(urllib3.connection.HTTPConnection):
    def __init__(self, path: pathlib.Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _own_bytes(pid: int) -> int:
    try:
        _, resident, shared, *_ = pathlib.Path(f"/proc/{pid}/statm").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return (int(resident) - int(shared)) * resource.getpagesize()
