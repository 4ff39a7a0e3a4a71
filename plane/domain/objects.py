"""Kubernetes objects as values: key, manifest, canonical bytes and digest."""

import hashlib
from typing import Any

import msgspec


class ObjectKey(msgspec.Struct, frozen=True, order=True):
    """What an object is, whatever version it is written in. `namespace` is empty for cluster-scoped objects."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """`apps/Deployment shop/web`, `ConfigMap shop/web`, `Namespace shop`."""
        kind = f"{self.group}/{self.kind}" if self.group else self.kind
        return f"{kind} {self.namespace}/{self.name}" if self.namespace else f"{kind} {self.name}"


class Position(msgspec.Struct, frozen=True):
    """Where a manifest begins: a path inside the source and a line counted from 1 (0: unknown)."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Manifest(msgspec.Struct, frozen=True):
    """One object as Git wants it. `body` is plain JSON data and is never changed in place."""

    key: ObjectKey
    api_version: str
    body: dict[str, Any]
    position: Position | None = None


def key_of(body: dict[str, Any]) -> ObjectKey:
    """The key of an object that has apiVersion, kind and metadata.name (or generateName, then the name is empty)."""
    group, _, version = str(body.get("apiVersion", "")).rpartition("/")
    meta = body.get("metadata") or {}
    return ObjectKey(group if version else "", str(body.get("kind", "")), str(meta.get("namespace") or ""), str(meta.get("name") or ""))


def canonical(body: object) -> bytes:
    """JSON with sorted keys and no spaces: equal data gives equal bytes."""
    return msgspec.json.encode(body, order="deterministic")


def digest(data: bytes) -> str:
    """`sha256:` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
