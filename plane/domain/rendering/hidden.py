"""SOPS files that a renderer reads, such as a chart's values: the renderer sees references, and the values are put in after the render.

A reference is a Vault placeholder of an alias that no Vault access can have, so that everything after the render treats both alike.
"""

import base64
import binascii
import pathlib
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from plane.domain import errors, objects
from plane.domain.reading import documents
from plane.domain.rendering import opening, secrets

ALIAS = "-sops"  # names of credentials are DNS labels: none begins with a dash
MARK_DIGITS = 12  # of the file's blob id: tells what a template has made of a reference
BASE64_RUN = re.compile(r"[A-Za-z0-9+/]{32,}={0,2}")  # long enough for any reference
CHANGED = "a template changes a secret value of a SOPS file; leave it whole: only quote, b64enc, indent and printf may be put round it"
Form = Literal["yaml", "dotenv", "binary"]
Values = dict[secrets.VaultRef, secrets.Secret]
_DOTENV = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>.*)")


class File(msgspec.Struct, frozen=True):
    """An encrypted file of a source."""

    path: str
    blob: str
    text: bytes


class Hidden(msgspec.Struct, frozen=True):
    """The file for the renderer, and the values behind its references."""

    text: bytes
    values: Mapping[secrets.VaultRef, secrets.Secret]

    def __repr__(self) -> str:
        return f"Hidden({len(self.values)} values)"


def form(file: File) -> Form | None:
    """How sops must read it; None: it is not encrypted."""
    if opening.ENCRYPTED.encode() not in file.text or b"sops" not in file.text:
        return None
    suffix = pathlib.PurePosixPath(file.path).suffix
    if suffix == ".env":
        return "dotenv" if re.search(rb"^sops_mac=", file.text, re.MULTILINE) else None
    bodies = _mappings(file)
    if not bodies or not all(isinstance(body.get("sops"), dict) for body in bodies):
        return None
    return "yaml" if suffix in {".yaml", ".yml", ".json"} else "binary"


def hide(file: File, clear: bytes, *, whole: bool) -> Hidden:
    """References in place of the secrets.

    Args:
        file: as committed.
        clear: what sops made of it.
        whole: a file that holds no objects is one secret (what a generator takes in), rather than one per value (a chart's values).

    Raises:
        SecretRefused: a value is no text, or clear and encrypted file do not have the same shape.
    """
    found = _Found(file)
    if form(file) == "dotenv":
        return found.done("".join(_line(line, found) for line in clear.decode().splitlines(keepends=True)).encode())
    bodies = _mappings(file)
    if form(file) == "binary" or (whole and not all("apiVersion" in body and "kind" in body for body in bodies)):
        return found.done(found.reference(secrets.Secret(clear)).encode())
    opened = _mappings(msgspec.structs.replace(file, text=clear))
    if len(opened) != len(bodies):
        raise errors.SecretRefused("holds another number of documents after decryption", where=file.path)
    texts = [objects.canonical(found.replaced(body, shown)) for body, shown in zip(bodies, opened, strict=True)]
    return found.done(b"\n---\n".join(texts) + b"\n")


def unfold(manifests: tuple[objects.Manifest, ...], values: Values) -> tuple[tuple[objects.Manifest, ...], Values]:
    """Find references inside base64, as in the `auth` of a registry's log-in, and make each such text a value of its own.

    Raises:
        SecretRefused: a template has changed a reference (upper, urlquery, trunc …), so that its value can no longer be put in.
    """
    if not values:
        return manifests, values
    marks = frozenset(ref.path.partition("/")[0] for ref in values)
    nested = _Nested(dict(values), marks)
    return tuple(_unfolded(manifest, nested) for manifest in manifests), nested.values


class _Found:
    """The values of one file, numbered."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._values: Values = {}

    def reference(self, value: secrets.Secret) -> str:
        ref = secrets.VaultRef(ALIAS, f"{self._file.blob[:MARK_DIGITS]}/{len(self._values)}", "value", 1)
        self._values[ref] = value
        return _written(ref)

    def done(self, text: bytes) -> Hidden:
        return Hidden(text, self._values)

    def replaced(self, body: dict[str, Any], clear: dict[str, Any]) -> dict[str, Any]:
        """The encrypted document without SOPS metadata, each ciphertext a reference."""
        shown = dict(opening.leaves(clear))
        secret = body.get("kind") == "Secret" and body.get("apiVersion") == "v1"

        def leaf(at: str, value: object) -> object:
            if not (isinstance(value, str) and value.startswith(opening.ENCRYPTED)):
                return value
            text = shown.get(at)
            if not isinstance(text, str):
                rule = "is no text (a number, a boolean or missing); only text can be secret: quote it, then encrypt the file again"
                raise errors.SecretRefused(f"{at} {rule}", where=self._file.path)
            return self._encoded(at, text) if secret and at.startswith("/data/") else self.reference(secrets.Secret(text.encode()))

        made: dict[str, Any] = opening.mapped({name: value for name, value in body.items() if name != "sops"}, leaf)
        return made

    def _encoded(self, at: str, text: str) -> str:
        try:
            value = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            raise errors.SecretRefused(f"{at} is no base64; write plain text below stringData", where=self._file.path) from None
        return base64.b64encode(self.reference(secrets.Secret(value)).encode()).decode()


class _Nested:
    """Values, and those made of them. `marks`: what every reference to them contains, however a template writes it."""

    def __init__(self, values: Values, marks: frozenset[str]) -> None:
        self.values, self._marks = values, marks

    def replaced(self, text: str) -> str:
        """The text with a reference of its own for each base64 run that holds references; SecretRefused when one was changed."""
        made = BASE64_RUN.sub(self._run, text)
        rest = secrets.PLACEHOLDER.sub("", made).lower()
        if any(mark in rest for mark in self._marks):
            raise errors.SecretRefused(CHANGED)
        return made

    def _run(self, match: re.Match[str]) -> str:
        inner = _decoded(match[0])
        if inner is None or opening.OPENING not in (inner := self.replaced(inner)):
            return match[0]
        clear = secrets.PLACEHOLDER.sub(self._value, inner)
        ref = secrets.VaultRef(ALIAS, f"nested/{len(self.values)}", "value", 1)
        self.values[ref] = secrets.Secret(base64.b64encode(clear.encode()))
        return _written(ref)

    def _value(self, match: re.Match[str]) -> str:
        ref = secrets.VaultRef(match["alias"], match["path"], match["key"], int(match["version"] or 0))
        if ref not in self.values:
            raise errors.SecretRefused(f"{match[0]} stands inside base64, where only values of SOPS files can")
        return self.values[ref].reveal().decode()


def _unfolded(manifest: objects.Manifest, nested: _Nested) -> objects.Manifest:
    secret = manifest.key.kind == "Secret" and not manifest.key.group

    def leaf(at: str, value: object) -> object:
        if not isinstance(value, str):
            return value
        inner = _decoded(value) if secret and at.startswith("/data/") else None
        try:
            text = nested.replaced(value if inner is None else inner)
        except errors.SecretRefused as e:
            raise errors.SecretRefused(f"{at} of {manifest.key}: {e}", where=str(manifest.position or "")) from None
        return text if inner is None else base64.b64encode(text.encode()).decode()

    return msgspec.structs.replace(manifest, body=opening.mapped(manifest.body, leaf))


def _line(line: str, found: _Found) -> str:
    match = _DOTENV.fullmatch(line.rstrip("\n"))
    return f"{match['name']}={found.reference(secrets.Secret(match['value'].encode()))}\n" if match else line


def _mappings(file: File) -> list[dict[str, Any]]:
    """The file's documents; none when it is no YAML or holds anything else."""
    try:
        values = [document.value for document in documents.read(file.text, file=file.path) if document.value is not None]
    except documents.Unreadable:
        return []
    return values if all(isinstance(value, dict) for value in values) else []


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _written(ref: secrets.VaultRef) -> str:
    return f"${{secret:vault:{ref.alias}/{ref.path}#{ref.key}@{ref.version}}}"
