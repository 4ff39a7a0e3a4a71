"""A line between two programs that goes dead without ever being closed, in one direction or both: bytes vanish, connections stay.

with cutline.start(("127.0.0.1", port)) as line:
    ...  # a client of line.port
    line.cut(up=True, down=True)  # what is open is dead for good, as after a firewall forgot it; what is opened gets nothing
    line.mend()  # what is opened from now on works
"""

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator

import msgspec

LOOK_S = 0.05
CHUNK = 65536


class Pair(msgspec.Struct, eq=False):
    """One connection: `up` and `down` say which direction is dead, for ever."""

    client: socket.socket
    server: socket.socket
    up: bool
    down: bool


class Line:
    """The running line; `cut` and `mend` may be called from any thread."""

    def __init__(self, listener: socket.socket, target: tuple[str, int]) -> None:
        self.port: int = listener.getsockname()[1]
        self.ending = False
        self._listener, self._target = listener, target
        self._lock = threading.Lock()
        self._pairs: list[Pair] = []
        self._up = self._down = False
        self._ready = selectors.DefaultSelector()
        self._ready.register(listener, selectors.EVENT_READ, None)

    def cut(self, *, up: bool, down: bool) -> None:
        """From now on nothing goes up (to the server), or down, on any connection."""
        with self._lock:
            self._up, self._down = up, down
            for pair in self._pairs:
                pair.up, pair.down = pair.up or up, pair.down or down

    def mend(self) -> None:
        """New connections work; those that were cut stay dead."""
        with self._lock:
            self._up = self._down = False

    def run(self) -> None:
        """Until `ending`."""
        while not self.ending:
            for key, _ in self._ready.select(LOOK_S):
                if key.data is None:
                    self._open()
                else:
                    self._pass(*key.data)
        for pair in self._pairs:
            pair.client.close()
            pair.server.close()

    def _open(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(self._target)
        with self._lock:
            pair = Pair(client, server, up=self._up, down=self._down)
            self._pairs.append(pair)
        self._ready.register(client, selectors.EVENT_READ, (pair, client, server))
        self._ready.register(server, selectors.EVENT_READ, (pair, server, client))

    def _pass(self, pair: Pair, source: socket.socket, sink: socket.socket) -> None:
        """An end that closes is passed on like bytes are: not at all on a dead line."""
        dead = pair.up if source is pair.client else pair.down
        try:
            chunk = source.recv(CHUNK)
            if chunk and not dead:
                sink.sendall(chunk)
        except OSError:
            chunk = b""
        if chunk:
            return
        self._ready.unregister(source)
        if not dead:
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def start(target: tuple[str, int]) -> Iterator[Line]:
    """A line to the target until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line = Line(listener, target)
        thread = threading.Thread(target=line.run)
        thread.start()
        try:
            yield line
        finally:
            line.ending = True
            thread.join()
