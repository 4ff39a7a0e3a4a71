"""Who this agent is: its key pairs and what enrolment gave it, kept in one Secret of its cluster and nowhere else."""

import base64
from collections.abc import Mapping

import msgspec

from plane.adapters import kube, link, sealing
from plane.agent import own
from plane.domain import errors, secrets
from plane.wire import agent

SECRET = "gitops-plane-agent"  # noqa: S105 - the name of an object
VERSION = "0.1.0"


class NotEnrolled(errors.PlaneError):
    """No identity in the cluster and no join token to get one with."""

    code = "not-enrolled"


class Keys(msgspec.Struct, frozen=True):
    """The private halves; they leave the process only into the Secret."""

    signing: secrets.Secret
    sealing: sealing.KeyPair


class Identity(msgspec.Struct, frozen=True):
    """An enrolled agent."""

    keys: Keys
    enrolled: agent.Enrolled

    @property
    def key_id(self) -> str:
        """The name of the sealing key in bundles."""
        return sealing.key_id(self.keys.sealing.public)


async def load(home: own.Home, plane: link.Plane, join_token: secrets.Secret | None) -> Identity:
    """The identity in the cluster, or a fresh one by enrolment.

    The keys are written before the plane hears of them: an agent killed between enrolment and its answer asks again with the same keys.

    Raises:
        NotEnrolled: nothing there and no token. LinkRefused: the plane does not accept the token.
    """
    body = await home.read("secrets", SECRET)
    if body is None:
        body = await _create(home)
    data = _contents(body)
    keys = _keys(data)
    if "enrolled" in data:
        return Identity(keys, msgspec.json.decode(data["enrolled"], type=agent.Enrolled))
    if join_token is None:
        way_out = "give it the token that `plane cluster join` prints, with --join-token-file or PLANE_JOIN_TOKEN"
        raise NotEnrolled(f"this agent has not joined a plane yet; {way_out}")
    enrolled = await plane.enrol(await _introduction(home.api, keys, join_token))
    await home.patch("secrets", SECRET, {"data": {"enrolled": base64.b64encode(msgspec.json.encode(enrolled)).decode()}})
    return Identity(keys, enrolled)


async def _create(home: own.Home) -> dict[str, object]:
    pair = sealing.new_key_pair()
    fresh = {"signing": link.new_signing_key().reveal(), "sealing": pair.private.reveal(), "sealing-public": pair.public}
    body: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "gitops-plane.io/agent",
        "metadata": {"name": SECRET, "labels": own.MANAGED_BY},
        "data": {name: base64.b64encode(value).decode() for name, value in fresh.items()},
    }
    await home.create("secrets", body)
    found = await home.read("secrets", SECRET)  # somebody else's when two agents start at once
    if found is None:
        raise NotEnrolled(f"the Secret {SECRET} in namespace {home.namespace} vanished while the agent started; start it again")
    return found


async def _introduction(api: kube.Api, keys: Keys, join_token: secrets.Secret) -> agent.Enrol:
    token = join_token.reveal().decode().strip()
    public, proof = link.prove(keys.signing, token, keys.sealing.public)
    version = str(kube.decode(await api.get("/version")).get("gitVersion", ""))
    system = kube.decode(await api.get("/api/v1/namespaces/kube-system"))
    return agent.Enrol(
        join_token=token,
        signing_key=public,
        sealing_key=keys.sealing.public,
        proof=proof,
        agent_version=VERSION,
        kube_version=version,
        installation=str(system["metadata"]["uid"]),
    )


def _contents(body: Mapping[str, object]) -> dict[str, bytes]:
    data = body.get("data")
    return {name: base64.b64decode(value) for name, value in data.items()} if isinstance(data, dict) else {}


def _keys(data: Mapping[str, bytes]) -> Keys:
    if {"signing", "sealing", "sealing-public"} - data.keys():
        raise NotEnrolled(f"the Secret {SECRET} holds no keys; delete it and join the cluster again")
    return Keys(secrets.Secret(data["signing"]), sealing.KeyPair(data["sealing-public"], secrets.Secret(data["sealing"])))
