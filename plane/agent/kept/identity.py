"""Who this agent is: its key pairs and what enrolment gave it, kept in one Secret of its cluster and nowhere else."""

import base64
import datetime as dt
import hashlib
from collections.abc import Mapping

import msgspec
import structlog

from plane.adapters import link
from plane.adapters.cluster import kube
from plane.adapters.secrets import sealing
from plane.agent.kept import own
from plane.domain import errors
from plane.domain import version as release
from plane.domain.rendering import secrets
from plane.wire import agent

SECRET = "gitops-plane-agent"  # noqa: S105 - the name of an object

# Fields of the Secret.
KEY_FIELDS = ("signing", "sealing", "sealing-public")
NEXT = "next-"  # before a key field: of a rotation that the plane may have heard of
OLDER = "older-sealing"
OLDER_KEPT = 5  # what was sealed that many rotations ago is sealed again
MADE, ENROLLED, REVOKED, JOINED_WITH, ASKED = "made", "enrolled", "revoked", "joined-with", "rotate"

log = structlog.get_logger()


class NotEnrolled(errors.PlaneError):
    """No identity in the cluster and no join token to get one with."""

    code = "not-enrolled"


class Keys(msgspec.Struct, frozen=True):
    """The private halves; they leave the process only into the Secret."""

    signing: secrets.Secret
    sealing: sealing.KeyPair


class Identity(msgspec.Struct):
    """An enrolled agent.

    Attributes:
        keys: those it speaks with now.
        enrolled: what the plane answered last.
        openers: private sealing keys by id; older ones open what was sealed before a rotation.
        revoked: the plane's sentence, or empty. A revoked agent changes nothing, also after a restart.
        installation: uid of the namespace kube-system of this cluster, read anew with every start: a copied identity shows by it.
    """

    keys: Keys
    enrolled: agent.Enrolled
    openers: dict[str, secrets.Secret]
    revoked: str = ""
    installation: str = ""


class Store:
    """The Secret that holds the identity."""

    def __init__(self, home: own.Home) -> None:
        self._home = home

    async def read(self) -> dict[str, bytes]:
        """What it holds; keys are made first if there is none."""
        body = await self._home.read("secrets", SECRET)
        if body is None:
            await self._home.create("secrets", _secret({**_fields(new_keys()), MADE: now_text()}))
            body = await self._home.read("secrets", SECRET)  # somebody else's when two agents start at once
        if body is None:
            raise NotEnrolled(f"the Secret {SECRET} in namespace {self._home.namespace} vanished while the agent started; start it again")
        return contents(body)

    async def write(self, fields: Mapping[str, bytes | None]) -> None:
        """Set fields; None takes one away."""
        coded = {name: base64.b64encode(value).decode() if value is not None else None for name, value in fields.items()}
        await self._home.patch("secrets", SECRET, {"data": coded})

    async def swap(self, data: Mapping[str, bytes], enrolled: agent.Enrolled, **more: bytes | None) -> Identity:
        """Make the next keys, which are in the Secret already, the keys in force; the ones before can still open."""
        older = (*msgspec.json.decode(data.get(OLDER, b"[]"), type=list[bytes]), data["sealing"])[-OLDER_KEPT:]
        fresh: dict[str, bytes | None] = {name: data[NEXT + name] for name in KEY_FIELDS} | {NEXT + name: None for name in KEY_FIELDS}
        fresh |= {OLDER: msgspec.json.encode(older), ENROLLED: msgspec.json.encode(enrolled), MADE: now_text(), **more}
        await self.write(fresh)
        return read(await self.read())

    async def begin(self, data: Mapping[str, bytes]) -> dict[str, bytes]:
        """Write the next keys before anybody hears of them, unless they are there; returns what the Secret holds then."""
        if NEXT + "signing" in data:
            return dict(data)
        fresh = {NEXT + name: value for name, value in _fields(new_keys()).items()}
        await self.write(fresh)
        return {**data, **fresh}


async def load(store: Store, home: own.Home, plane: link.Plane, join_token: secrets.Secret | None) -> Identity:
    """As `_load`, with the cluster's own id; raises the same."""
    who = await _load(store, home, plane, join_token)
    who.installation = await _installation(home.api)
    return who


async def _installation(api: kube.Api) -> str:
    return str(kube.decode(await api.get("/api/v1/namespaces/kube-system"))["metadata"]["uid"])


async def _load(store: Store, home: own.Home, plane: link.Plane, join_token: secrets.Secret | None) -> Identity:
    """The identity in the cluster, or a fresh one by enrolment; a revoked agent that was given another token joins again.

    The keys are written before the plane hears of them: an agent killed between enrolment and its answer asks again with the same keys.

    Raises:
        NotEnrolled: nothing there and no token. Revoked, LinkRefused: the plane does not accept the token.
    """
    data = await store.read()
    if ENROLLED in data:
        who = read(data)
        return await _join_again(store, home, plane, join_token) if who.revoked and join_token and _unused(data, join_token) else who
    if join_token is None:
        way_out = "give it the token that `plane cluster join` prints, with --join-token-file or PLANE_JOIN_TOKEN"
        raise NotEnrolled(f"this agent has not joined a plane yet; {way_out}")
    keys = _keys(data)
    enrolled = await plane.enrol(await _introduction(home.api, keys, join_token))
    await store.write({ENROLLED: msgspec.json.encode(enrolled), JOINED_WITH: _hash(join_token)})
    return read(await store.read())


async def ask_to_rotate(home: own.Home) -> None:
    """Leave word for the agent of this namespace; NotEnrolled when there is none."""
    body = await home.read("secrets", SECRET)
    if body is None or ENROLLED not in contents(body):
        raise NotEnrolled(f"no agent has joined a plane from namespace {home.namespace}; name its namespace with --namespace")
    await Store(home).write({ASKED: now_text()})


def read(data: Mapping[str, bytes]) -> Identity:
    """The identity that a Secret holds."""
    keys = _keys(data)
    openers = {sealing.key_id(keys.sealing.public): keys.sealing.private}
    begun = [data[NEXT + "sealing"]] if NEXT + "sealing" in data else []  # the plane may know it already
    for private in [*begun, *msgspec.json.decode(data.get(OLDER, b"[]"), type=list[bytes])]:
        openers[sealing.key_id(sealing.public_of(secrets.Secret(private)))] = secrets.Secret(private)
    enrolled = msgspec.json.decode(data[ENROLLED], type=agent.Enrolled)
    return Identity(keys, enrolled, openers, data.get(REVOKED, b"").decode())


def new_keys() -> Keys:
    """Fresh ones."""
    return Keys(link.new_signing_key(), sealing.new_key_pair())


def next_keys(data: Mapping[str, bytes]) -> Keys:
    """Those of a rotation that was begun."""
    return _keys({name: data[NEXT + name] for name in KEY_FIELDS})


def now_text() -> bytes:
    """RFC 3339, to the second."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()


async def _join_again(store: Store, home: own.Home, plane: link.Plane, token: secrets.Secret) -> Identity:
    data = await store.begin(await store.read())
    try:
        enrolled = await plane.enrol(await _introduction(home.api, next_keys(data), token))
    except (link.Revoked, link.LinkRefused) as e:
        log.warning("join.refused", reason=str(e))
        return read(data)
    return await store.swap(data, enrolled, **{REVOKED: None, JOINED_WITH: _hash(token)})


def _unused(data: Mapping[str, bytes], token: secrets.Secret) -> bool:
    return data.get(JOINED_WITH) != _hash(token)


def _hash(token: secrets.Secret) -> bytes:
    return hashlib.sha256(token.reveal().strip()).hexdigest().encode()


def _fields(keys: Keys) -> dict[str, bytes]:
    return dict(zip(KEY_FIELDS, (keys.signing.reveal(), keys.sealing.private.reveal(), keys.sealing.public), strict=True))


def _secret(fields: Mapping[str, bytes]) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "gitops-plane.io/agent",
        "metadata": {"name": SECRET, "labels": own.MANAGED_BY},
        "data": {name: base64.b64encode(value).decode() for name, value in fields.items()},
    }


async def _introduction(api: kube.Api, keys: Keys, join_token: secrets.Secret) -> agent.Enrol:
    token = join_token.reveal().decode().strip()
    public, proof = link.prove(keys.signing, token, keys.sealing.public)
    version = str(kube.decode(await api.get("/version")).get("gitVersion", ""))
    return agent.Enrol(
        join_token=token,
        signing_key=public,
        sealing_key=keys.sealing.public,
        proof=proof,
        agent_version=release.VERSION,
        kube_version=version,
        installation=await _installation(api),
    )


def contents(body: Mapping[str, object]) -> dict[str, bytes]:
    """The fields of the Secret."""
    data = body.get("data")
    return {name: base64.b64decode(value) for name, value in data.items()} if isinstance(data, dict) else {}


def _keys(data: Mapping[str, bytes]) -> Keys:
    if set(KEY_FIELDS) - data.keys():
        raise NotEnrolled(f"the Secret {SECRET} holds no keys; delete it and join the cluster again")
    return Keys(secrets.Secret(data["signing"]), sealing.KeyPair(data["sealing-public"], secrets.Secret(data["sealing"])))
