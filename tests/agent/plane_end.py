"""The plane's end of the wire for tests of the agent: tasks are queued by hand and signed; what the agent says is kept."""

import asyncio
import contextlib
import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from email import utils
from typing import Any, Self, TypeVar

import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plane.adapters.secrets import sealing
from plane.domain import objects, release
from plane.domain.rendering import secrets
from plane.wire import agent, bundle, journal, scripted, signing
from tests.support import waiting

TENANT, PROJECT = "acme", "shop"
CLUSTER_ID, PLANE_ID, JOIN_TOKEN = "0190-cluster", "plane-under-test", "join-once"
Noted = TypeVar("Noted", bound=journal.Fact)
MAX_BODY = 256 * 1024 * 1024


class Leased(msgspec.Struct, frozen=True):
    """A task without a last word; handed to whoever does not name it as running, as the plane does with one agent."""

    task: agent.Task
    bundle: agent.ReleaseBundle | None


class PlaneEnd:
    """A server in a thread of its own.

    `away`: answers 503; `revoked`: answers 401; `forge`: signs tasks with another key; `deaf`: takes an agent's next keys and answers
    503, once; `ahead_s`: of this machine's clock; `mute`: leaves the next last words without an answer, "unread" or once they are "taken".
    """

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._loop = asyncio.new_event_loop()
        self._changed = threading.Condition()
        self._tasks: dict[str, Leased] = {}
        self._bundles: dict[str, agent.ReleaseBundle] = {}
        self._public: bytes = b""
        self._sealing: bytes = b""
        self._generations: dict[str, int] = {}
        self._woken = asyncio.Event()
        self._generation = 1
        self.away = self.revoked = self.forge = self.deaf = self.rotate = False
        self.mute = ""
        self.ahead_s = 0.0
        self.muted = 0
        self.url = ""
        self.taken: list[str] = []  # ids of the tasks with a last word, one for each that came
        self.finals: dict[str, agent.Final] = {}
        self.final_at: dict[str, float] = {}
        self.progress: list[agent.Progress] = []
        self.pieces: dict[str, list[bytes]] = {}
        self.unheard: set[str] = set()
        self.states: dict[str, agent.AppState] = {}
        self.objects: dict[str, dict[agent.Key, agent.ObjectState]] = {}
        self.healed: list[tuple[str, agent.Healed]] = []
        self.capabilities: agent.Capabilities | None = None
        self.checks: scripted.Checks | None = None
        self.held: str | None = None  # digest of the checks that the agent judges by, as its last claim said
        self.calls: dict[str, int] = {}
        self.journals: dict[str, list[journal.Entry]] = {}  # by id
        self.ends: dict[str, journal.Known] = {}

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(waiting.PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(waiting.PATIENCE_S)

    # ---- what a test says

    def apply(self, app: str, *bodies: dict[str, Any], sealed: Iterable[tuple[secrets.Place, bytes]] = (), **given: Any) -> str:  # noqa: ANN401 - fields of Options and Task
        """Queue an apply task; returns its id. Options by name; `generation`, `scope`, `release` (a bundle) override."""
        made = given.pop("release", None) or self.release(app, *bodies, sealed=sealed)
        return self._queue(app, "apply", made, given)

    def remove(self, app: str, **given: Any) -> str:  # noqa: ANN401 - fields of Options and Task
        return self._queue(app, "remove", None, given)

    def terminate(self, task: str) -> None:
        """Take a task back, as somebody who stops its sync does."""
        self._tasks.pop(task)
        self._wake()

    def ask_rotation(self) -> None:
        """With the next answer to a claim, which comes at once."""
        self.rotate = True
        self._wake()

    def observe(self, app: str, made: agent.ReleaseBundle | None = None, **given: Any) -> str:  # noqa: ANN401 - fields of Options and Task
        return self._queue(app, "observe", made, given)

    def query(self, app: str, *keys: agent.Key) -> str:
        return self._queue(app, "query", None, {"keys": keys, "query": "live"})

    def ask(self, app: str, question: str, *keys: agent.Key, terms: msgspec.Struct | None = None, **given: Any) -> str:  # noqa: ANN401 - fields of Task
        """Ask a question by its name."""
        packed = msgspec.msgpack.encode(terms) if terms else b""
        return self._queue(app, "query", None, {"keys": keys, "query": question, "terms": packed, **given})

    def plan(self, app: str, *bodies: dict[str, Any], **given: Any) -> str:  # noqa: ANN401 - fields of Options and Task
        """Ask what an apply task would do."""
        return self._queue(app, "query", self.release(app, *bodies), given | {"query": "plan"})

    def diff(self, app: str, *bodies: dict[str, Any], sealed: Iterable[tuple[secrets.Place, bytes]] = (), **given: Any) -> str:  # noqa: ANN401 - fields of Options and Task
        """Ask what an apply of these would change."""
        return self._queue(app, "query", self.release(app, *bodies, sealed=sealed), given | {"query": "live"})

    def release(self, app: str, *bodies: dict[str, Any], sealed: Iterable[tuple[secrets.Place, bytes]] = ()) -> agent.ReleaseBundle:
        """A bundle as the plane makes it: stamped, canonical, sealed to the enrolled agent."""
        owner = release.Owner(app, TENANT, PROJECT, app)
        made = (objects.Manifest(objects.key_of(body), body["apiVersion"], body) for body in bodies)
        digest, body = bundle.pack(tuple(objects.canonical(release.stamp(one, owner, namespace="").body) for one in made))
        values = tuple(self.sealed(app, digest, place, value) for place, value in sealed)
        found = agent.ReleaseBundle(digest=digest, body=body, sealed=values, key_id=self.key_id if values else "")
        self._bundles[digest] = found
        return found

    def final(self, task: str, *, within: float = waiting.PATIENCE_S) -> agent.Final:
        self.wait(lambda: task in self.finals, f"the last word on {task}", within=within)
        return self.finals[task]

    def state(self, app: str, wanted: Callable[[agent.AppState], bool]) -> agent.AppState:
        self.wait(lambda: app in self.states and wanted(self.states[app]), lambda: f"state of {app}: {self.states.get(app)}")
        return self.states[app]

    def wait(self, wanted: Callable[[], bool], what: str | Callable[[], str], *, within: float = waiting.PATIENCE_S) -> None:
        end = time.monotonic() + within
        with self._changed:
            while not wanted():
                assert time.monotonic() < end, f"waited {within:.0f} s for {what() if callable(what) else what}"
                self._changed.wait(waiting.LONGEST_LOOK_S)  # what is refused, or only logged by the agent, rings no bell

    def unfinished(self) -> set[str]:
        return set(self._tasks)

    @property
    def key_id(self) -> str:
        return sealing.key_id(self._sealing)

    # ---- the server

    def _queue(self, app: str, kind: agent.TaskKind, made: agent.ReleaseBundle | None, given: dict[str, Any]) -> str:
        generation = given.pop("generation", None) or self._generations.get(app, 0) + (kind in {"apply", "remove"})
        self._generations[app] = max(generation, self._generations.get(app, 0))
        fields = {name: given.pop(name) for name in list(given) if name in agent.Task.__struct_fields__}
        fields.setdefault("scope", agent.Scope(namespaces=("*",), cluster_kinds=("*",)))
        task = agent.Task(
            id=str(uuid.uuid4()), kind=kind, cluster_id=CLUSTER_ID, app_id=app, tenant=TENANT, project=PROJECT, app=app,
            generation=generation, expires=int(time.time()) + 3600, release=made.digest if made else "", revision="0123456789abcdef",
            sealed_digest=bundle.sealed_digest(made.sealed) if made else "", options=agent.Options(**given),
        )  # fmt: skip
        task = msgspec.structs.replace(task, **fields)
        self._tasks[task.id] = Leased(task, made)
        self._wake()
        return task.id

    def sealed(self, app: str, digest: str, place: secrets.Place, value: bytes) -> agent.SealedValue:
        context = secrets.sealing_context(cluster=CLUSTER_ID, app=app, release=digest, place=place)
        key = agent.Key(place.key.group, place.key.kind, place.key.namespace, place.key.name)
        return agent.SealedValue(key, place.pointer, sealing.Hpke().seal(self._sealing, secrets.Secret(value), context))

    def _wake(self) -> None:
        self._loop.call_soon_threadsafe(self._woken.set)

    def _serve(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._run(ready))
        self._loop.close()

    async def _run(self, ready: threading.Event) -> None:
        self._ending = asyncio.Event()
        app = web.Application(client_max_size=MAX_BODY, middlewares=[self._guard])
        routes = {
            "enrol": self._enrol,
            "keys": self._keys,
            "claim": self._claim,
            "events": self._events,
            "state": self._state,
            "piece": self._piece,
            "journal": self._journal,
        }
        app.add_routes([web.post(f"{agent.PATH}/{name}", handler) for name, handler in routes.items()])
        app.add_routes([web.get(f"{agent.PATH}/releases/{{digest}}", self._release)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await self._ending.wait()
        await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        name = request.path.removeprefix(agent.PATH + "/").partition("/")[0]
        self.calls[name] = self.calls.get(name, 0) + 1
        if self.away:
            return web.Response(status=503, headers={"Retry-After": "1"})
        if name != "enrol":
            asked = signing.Request(request.method, request.path, signing.body_digest(await request.read()))
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            now = time.time() + self.ahead_s
            try:
                signing.verify(token, self._public, asked, plane_id=PLANE_ID, now=now)
            except signing.TokenRefused as e:
                self._tell()
                said = {"type": f"urn:{e.code}", "detail": str(e)}
                return web.json_response(said, status=401, headers={"Date": utils.formatdate(now, usegmt=True)})
            if self.revoked:
                return web.json_response({"type": "unauthenticated", "detail": "this agent was revoked"}, status=401)
        answer: web.StreamResponse = await handler(request)
        answer.headers["Date"] = utils.formatdate(time.time() + self.ahead_s, usegmt=True)
        self._tell()
        return answer

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    async def _enrol(self, request: web.Request) -> web.Response:
        enrol = msgspec.msgpack.decode(await request.read(), type=agent.Enrol)
        if enrol.join_token != JOIN_TOKEN or not signing.proves(enrol) or self._public not in {b"", enrol.signing_key}:
            return web.json_response({"type": "join-token-refused", "detail": "this join token is unknown, used or expired"}, status=422)
        self._public, self._sealing = enrol.signing_key, enrol.sealing_key
        return _answer(self._enrolled())

    def _enrolled(self) -> agent.Enrolled:
        key, generation = self._key.public_key().public_bytes_raw(), self._generation
        return agent.Enrolled(
            agent_id="0190-agent", cluster_id=CLUSTER_ID, cluster="dev", plane_id=PLANE_ID, task_key=key, generation=generation
        )

    async def _keys(self, request: web.Request) -> web.Response:
        rotate = msgspec.msgpack.decode(await request.read(), type=agent.Rotate)
        assert signing.continues(rotate, "0190-agent")
        self._generation += rotate.signing_key != self._public
        self._public, self._sealing = rotate.signing_key, rotate.sealing_key
        self.deaf, deaf = False, self.deaf
        return web.Response(status=503) if deaf else _answer(self._enrolled())

    async def _claim(self, request: web.Request) -> web.Response:
        claim = msgspec.msgpack.decode(await request.read(), type=agent.Claim)
        with self._changed:
            self.held = claim.checks
            self._changed.notify_all()
        until = time.monotonic() + float(request.query["wait"])
        while True:
            self._woken.clear()
            open_ = [one for one in self._tasks.values() if one.task.id not in claim.running][: int(request.query["max"])]
            left = until - time.monotonic()
            lost = tuple(id_ for id_ in claim.running if id_ not in self._tasks and id_ not in self.finals)
            news = self._checks(claim)
            if open_ or lost or news or left <= 0 or self.away or self.revoked or self.rotate:
                break
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), left)
        tasks, self.rotate, rotate = tuple(self.signed(one.task, one.bundle) for one in open_), False, self.rotate
        return _answer(agent.Claimed(tasks=tasks, lost=lost, checks=news, rotate=rotate))

    def judge(self, *checks: scripted.Check, actions: tuple[scripted.ActionScripts, ...] = ()) -> None:
        """Let the agent judge by these, and offer these actions, as when users change health checks."""
        made = scripted.Checks(cluster_id=CLUSTER_ID, digest="", checks=checks, actions=actions)
        digest = hashlib.sha256(agent.encode(made)).hexdigest() if checks or actions else ""
        self.checks = msgspec.structs.replace(made, digest=digest)
        self._wake()

    def _checks(self, claim: agent.Claim) -> scripted.SignedChecks | None:
        if self.checks is None or claim.checks is None or claim.checks == self.checks.digest:
            return None
        payload = agent.encode(self.checks)
        key = Ed25519PrivateKey.generate() if self.forge else self._key
        return scripted.SignedChecks(payload=payload, signature=key.sign(signing.CHECKS_CONTEXT + payload))

    def signed(self, task: agent.Task, made: agent.ReleaseBundle | None) -> agent.SignedTask:
        return self.signed_payload(agent.encode(task), made)

    def signed_payload(self, payload: bytes, made: agent.ReleaseBundle | None) -> agent.SignedTask:
        return agent.SignedTask(
            payload=payload,
            signature=(Ed25519PrivateKey.generate() if self.forge else self._key).sign(signing.TASK_CONTEXT + payload),
            bundle=made,
        )

    async def _events(self, request: web.Request) -> web.Response:
        events = msgspec.msgpack.decode(await request.read(), type=agent.Events)
        mute, self.mute = (self.mute, "") if events.finals else ("", self.mute)
        if mute == "unread":
            await self._say_nothing()
        self.progress += events.progress
        self.taken += [one.task for one in events.finals]
        for one in events.finals:
            self._tasks.pop(one.task, None)
            self.finals[one.task] = one
            self.final_at[one.task] = time.monotonic()
        if mute:
            await self._say_nothing()
        return _answer(agent.Accepted())

    async def _say_nothing(self) -> None:
        with self._changed:
            self.muted += 1
            self._changed.notify_all()
        await self._ending.wait()

    async def _piece(self, request: web.Request) -> web.Response:
        """`unheard`: tasks to whose pieces nobody listens."""
        piece = msgspec.msgpack.decode(await request.read(), type=agent.Piece)
        kept = self.pieces.setdefault(piece.task, [])
        assert piece.number == len(kept)
        kept.append(piece.body)
        return _answer(agent.Heard(listening=piece.task not in self.unheard))

    async def _journal(self, request: web.Request) -> web.Response:
        """Holds every frame to what came before it; one that does not hold is not taken."""
        sent = msgspec.msgpack.decode(await request.read(), type=journal.Journal)
        known = self.ends.get(sent.id, journal.Known())
        for frame in sent.frames:
            before = known.hash if known.seq else journal.origin(sent.id)
            assert (frame.first, frame.before) == (known.seq + 1, before)
            assert journal.signed_by(self._public, "0190-agent", sent.id, frame)
            self.journals.setdefault(sent.id, []).extend(msgspec.msgpack.decode(one, type=journal.Entry) for one in frame.entries)
            known = self.ends[sent.id] = journal.Known(seq=frame.last, hash=journal.chain(frame.before, frame.entries))
        return _answer(known)

    def noted(self, kind: type[Noted]) -> list[Noted]:
        """What the agent's journals tell of one kind, in order."""
        return [one.fact for entries in self.journals.values() for one in entries if isinstance(one.fact, kind)]

    async def _state(self, request: web.Request) -> web.Response:
        state = msgspec.msgpack.decode(await request.read(), type=agent.State)
        self.capabilities = state.capabilities or self.capabilities
        for one in state.apps:
            known = {} if one.full else self.objects.get(one.app_id, {})
            known |= {inner.key: inner for inner in one.objects}
            self.objects[one.app_id] = {key: inner for key, inner in known.items() if key not in one.gone}
            self.states[one.app_id] = one
            self.healed += [(one.app_id, heal) for heal in one.healed]
        return _answer(agent.Accepted())

    async def _release(self, request: web.Request) -> web.Response:
        found = self._bundles.get(request.match_info["digest"])
        return _answer(found) if found else web.Response(status=404)


def _answer(message: msgspec.Struct) -> web.Response:
    return web.Response(body=agent.encode(message), content_type=agent.CONTENT_TYPE)
