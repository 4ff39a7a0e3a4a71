"""A release as the agent works with it: documents as bytes, read once, sealed values opened only where they are used."""

import base64
import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from plane.adapters.secrets import sealing
from plane.domain import errors, objects
from plane.domain.rendering import opening, secrets
from plane.wire import agent, bundle

MASK = "••••"


class Release(msgspec.Struct, frozen=True):
    """An unpacked release. `documents` and `manifests` run in parallel."""

    digest: str
    app: str
    documents: tuple[bytes, ...]
    manifests: tuple[objects.Manifest, ...]
    sealed: Mapping[objects.ObjectKey, tuple[agent.SealedValue, ...]]
    key_id: str = ""  # the agent key that `sealed` was made for


class Unsealer(msgspec.Struct, frozen=True):
    """What opening takes: this agent's private keys by id, which a rotation adds to, and the cluster it stands for."""

    keys: Mapping[str, secrets.Secret]
    cluster_id: str

    def key(self, key_id: str) -> secrets.Secret:
        """SecretRefused when the key is not, or no longer, this agent's."""
        found = self.keys.get(key_id)
        if found is None:
            message = "the secrets were sealed to a key that this agent does not hold; refresh the app to seal them again"
            raise errors.SecretRefused(message)
        return found


def load(app: str, bundled: agent.ReleaseBundle) -> Release:
    """Unpack and verify; BundleBroken when the bytes have another digest."""
    documents = bundle.unpack(bundled.digest, bundled.body)
    sealed: dict[objects.ObjectKey, list[agent.SealedValue]] = {}
    for value in bundled.sealed:
        sealed.setdefault(key_of(value.key), []).append(value)
    manifests = tuple(_manifest(one) for one in documents)
    return Release(bundled.digest, app, documents, manifests, {key: tuple(values) for key, values in sealed.items()}, bundled.key_id)


def empty(app: str) -> Release:
    """A release of nothing."""
    return Release("", app, (), (), {})


def values(release: Release, key: objects.ObjectKey, unsealer: Unsealer) -> dict[str, bytes]:
    """The opened values of one object by JSON pointer; SecretRefused when they were sealed for another place or agent."""
    found = {}
    for sealed in release.sealed.get(key, ()):
        place = secrets.Place(key, sealed.pointer)
        context = secrets.sealing_context(cluster=unsealer.cluster_id, app=release.app, release=release.digest, place=place)
        found[sealed.pointer] = sealing.open_sealed(unsealer.key(release.key_id), sealed.ciphertext, context).reveal()
    return found


def body(release: Release, index: int, opened: Mapping[str, bytes]) -> dict[str, Any]:
    """The object as it is to be in the cluster."""
    manifest = release.manifests[index]
    return opening.restore(manifest.body, opened) if opened else manifest.body


def mask(text: str, opened: Mapping[str, bytes]) -> str:
    """A sentence of the API server without the values that it quotes, in the clear or in base64."""
    for form in forms(opened.values()):
        text = text.replace(form, MASK)
    return text


def forms(values: Iterable[bytes]) -> tuple[str, ...]:
    """How values may stand in a text, longest first."""
    return tuple(sorted({form for value in values for form in _forms(value)}, key=len, reverse=True))


def key_of(key: agent.Key) -> objects.ObjectKey:
    """From the wire."""
    return objects.ObjectKey(key.group, key.kind, key.namespace, key.name)


def wire_key(key: objects.ObjectKey) -> agent.Key:
    """For the wire."""
    return agent.Key(key.group, key.kind, key.namespace, key.name)


def _manifest(document: bytes) -> objects.Manifest:
    found: dict[str, Any] = msgspec.json.decode(document, type=dict[str, Any])
    return objects.Manifest(objects.key_of(found), str(found["apiVersion"]), found)


def _forms(value: bytes) -> set[str]:
    """How a value may stand in a message: as it is, in base64, decoded from base64, escaped as in JSON or Go."""
    texts = {value.decode("utf-8", "replace"), base64.b64encode(value).decode()}
    with contextlib.suppress(ValueError):  # a value outside a Secret's data is plain text
        texts.add(base64.b64decode(value, validate=True).decode("utf-8", "replace"))
    return {form for text in texts if text for form in (text, msgspec.json.encode(text).decode()[1:-1])}
