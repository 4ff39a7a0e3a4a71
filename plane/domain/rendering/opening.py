"""What of a release must be opened, and the objects with fingerprints where the opened values belong."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import msgspec

from plane.domain import errors, objects
from plane.domain.reading import manifests as manifests_of
from plane.domain.rendering import secrets

ENCRYPTED = "ENC[AES256_GCM,"  # how every encrypted leaf of a SOPS document begins
OPENING = "${secret:"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # holds the whole object once more, in the clear

# Who an object is decides where it goes and what policy sees, so none of it may be secret.
IDENTITY = re.compile(r"/(apiVersion|kind|metadata/(name|generateName|namespace|labels/.*))")


class SopsFile(msgspec.Struct, frozen=True):
    """One document for sops: the objects that share a file and a MAC. `members` are their indexes among the manifests."""

    where: str
    text: bytes
    members: tuple[int, ...]


class Needs(msgspec.Struct, frozen=True):
    """What `fill` must be given."""

    sops: tuple[SopsFile, ...] = ()
    refs: frozenset[secrets.VaultRef] = frozenset()

    def volatile(self) -> bool:
        """Whether a value may change without a commit: some reference names no version."""
        return any(ref.version == 0 for ref in self.refs)


class Opened(msgspec.Struct, frozen=True):
    """What the backends gave. `documents`: index of a manifest → its decrypted body, whose leaves are values in the clear."""

    documents: Mapping[int, Mapping[str, Any]] = {}
    values: Mapping[secrets.VaultRef, secrets.Secret] = {}

    def __repr__(self) -> str:
        return f"Opened({len(self.documents)} documents, {len(self.values)} values)"


class Filled(msgspec.Struct, frozen=True):
    """Manifests with a fingerprint in every secret leaf, and the values by place, in the order of the manifests."""

    manifests: tuple[objects.Manifest, ...]
    secrets: tuple[tuple[secrets.Place, secrets.Secret], ...]


def needs(manifests: tuple[objects.Manifest, ...], *, aliases: frozenset[str], files: Mapping[str, bytes] = {}) -> Needs:
    """Find SOPS documents and Vault placeholders.

    Args:
        manifests: as rendered, before anything is stamped on them: a SOPS MAC covers the clear fields too.
        aliases: the project's Vault accesses.
        files: bytes of the files that manifests were read from unchanged, by `position.file`. sops then sees the YAML
            types and comments as written; other documents are put together again from the objects.

    Raises:
        SecretRefused: unknown alias, malformed placeholder, encrypted leaf without SOPS metadata, secret identity.
    """
    refs: set[secrets.VaultRef] = set()
    groups: dict[tuple[str, str], list[int]] = {}
    for index, manifest in enumerate(manifests):
        refs |= {ref for at, text in _texts(manifest) for ref in _refs_at(manifest, at, text, aliases)}
        if is_sops(manifest):
            groups.setdefault(_group(manifest, index), []).append(index)
    return Needs(tuple(_sops_file(manifests, tuple(members), files) for members in groups.values()), frozenset(refs))


def documents(file: SopsFile, clear: bytes) -> dict[int, Mapping[str, Any]]:
    """What sops made of a file, for `Opened.documents`; SecretRefused when that is another number of objects."""
    try:
        bodies = [manifest.body for manifest in manifests_of.read(clear, file=file.where)]
    except manifests_of.Unreadable:
        message = "holds no Kubernetes objects after decryption; encrypt only data and stringData"
        raise errors.SecretRefused(message, where=file.where) from None  # the reader's sentence may quote the clear text
    if len(bodies) != len(file.members):
        message = f"holds {len(bodies)} objects after decryption and {len(file.members)} before; encrypt only data and stringData"
        raise errors.SecretRefused(message, where=file.where)
    return dict(zip(file.members, bodies, strict=True))


def is_sops(manifest: objects.Manifest) -> bool:
    """Whether the object carries SOPS metadata."""
    return isinstance(manifest.body.get("sops"), dict)


def fill(manifests: tuple[objects.Manifest, ...], opened: Opened, *, name: Callable[[secrets.Place, secrets.Secret], str]) -> Filled:
    """Put fingerprints where values belong and hand the values out by place.

    Args:
        manifests: the ones `needs` saw, in the same order; they may have been stamped since, so that places carry the
            keys that the cluster will see.
        opened: everything `needs` asked for.
        name: fingerprint of a value at a place (`secrets.fingerprint` with the project's key).

    Returns:
        `stringData` is folded into `data`, and every value of a Secret counts as secret, also one that Git shows.

    Raises:
        SecretRefused: a value that is missing or is no text, Secret data that is no base64.
    """
    filled: list[objects.Manifest] = []
    found: list[tuple[secrets.Place, secrets.Secret]] = []
    for index, manifest in enumerate(manifests):
        if not _holds_secrets(manifest):
            filled.append(manifest)
            continue
        body = _without_last_applied(_opened(manifest, opened, dict(leaves(opened.documents.get(index, {})))))
        values = [(secrets.Place(manifest.key, at), leaf) for at, leaf in leaves(body) if isinstance(leaf, secrets.Secret)]
        marks = {place.pointer: name(place, value) for place, value in values}
        filled.append(msgspec.structs.replace(manifest, body=mapped(body, marks.get)))
        found += values
    return Filled(tuple(filled), tuple(found))


def clear(manifest: objects.Manifest) -> Iterator[str]:
    """Pointers, as `fill` leaves them, to values of a Secret that stand in the source in the clear; a SOPS document has none."""
    if not _is_secret(manifest) or is_sops(manifest):
        return
    for at, text in _texts(manifest):
        plain = _from_base64(manifest, at, text).decode("utf-8", "replace") if _is_data(manifest, at) else text
        if plain and OPENING not in plain and (_is_data(manifest, at) or _is_string_data(manifest, at)):
            yield at.replace("/stringData/", "/data/", 1)


def restore(body: dict[str, Any], values: Mapping[str, bytes]) -> dict[str, Any]:
    """The body with each pointer's leaf replaced by its value: what the agent applies.

    Raises:
        SecretRefused: a pointer that leads to no text, or a value that is no UTF-8.
    """
    unknown = values.keys() - {at for at, leaf in leaves(body) if isinstance(leaf, str)}
    if unknown:
        message = f"the sealed value at {min(unknown)} belongs to no text of the object; refresh the app"
        raise errors.SecretRefused(message)
    restored: dict[str, Any] = mapped(body, {at: _decode_utf8(value, at) for at, value in values.items()}.get)
    return restored


def _group(manifest: objects.Manifest, index: int) -> tuple[str, str]:
    """Documents of one encrypted file share file and MAC; without a known file each stands for itself."""
    mac = str(manifest.body["sops"].get("mac", ""))
    return (manifest.position.file, mac) if manifest.position else (str(index), mac)


def _sops_file(manifests: tuple[objects.Manifest, ...], members: tuple[int, ...], files: Mapping[str, bytes]) -> SopsFile:
    """The text for sops. JSON is YAML, and keeps the order of fields that the MAC depends on."""
    first = manifests[members[0]]
    written = files.get(_where(first)) if _fill_file(manifests, members) else None
    documents = [msgspec.json.encode(manifests[index].body) for index in members]
    return SopsFile(_where(first), written or b"\n---\n".join(documents) + b"\n", members)


def _fill_file(manifests: tuple[objects.Manifest, ...], members: tuple[int, ...]) -> bool:
    """Whether the file holds nothing else: several encrypted files may be one text, each with its own MAC."""
    file = _where(manifests[members[0]])
    return members == tuple(index for index, manifest in enumerate(manifests) if _where(manifest) == file)


def _refs_at(manifest: objects.Manifest, at: str, text: str, aliases: frozenset[str]) -> list[secrets.VaultRef]:
    if _is_encrypted(text):
        return _check_encrypted(manifest, at)
    if _is_data(manifest, at):
        text = _from_base64(manifest, at, text).decode("utf-8", "replace")
    if OPENING not in text:
        return []
    if IDENTITY.fullmatch(at):
        _refuse(manifest, at, "says which object this is and cannot be secret")
    matches = list(secrets.PLACEHOLDER.finditer(text))
    if len(matches) != text.count(OPENING):
        _refuse(manifest, at, "has a malformed placeholder; write ${secret:vault:ALIAS/PATH#KEY} or ${secret:vault:ALIAS/PATH#KEY@VERSION}")
    return [_known(manifest, at, _ref(match), aliases) for match in matches]


def _check_encrypted(manifest: objects.Manifest, at: str) -> list[secrets.VaultRef]:
    """Ciphertext refers to nothing, but must be where it can be opened and may be secret."""
    if not is_sops(manifest):
        _refuse(manifest, at, "is SOPS ciphertext, but the object has no `sops` block; commit the file as sops wrote it")
    if IDENTITY.fullmatch(at):
        _refuse(manifest, at, "is encrypted; encrypt values only: sops encrypt --encrypted-regex '^(data|stringData)$'")
    return []


def _known(manifest: objects.Manifest, at: str, ref: secrets.VaultRef, aliases: frozenset[str]) -> secrets.VaultRef:
    if ref.alias not in aliases:
        known = ", ".join(sorted(aliases)) or "none"
        _refuse(manifest, at, f"names the Vault access {ref.alias!r}, which this project does not have (it has: {known})")
    return ref


def _ref(match: re.Match[str]) -> secrets.VaultRef:
    return secrets.VaultRef(match["alias"], match["path"], match["key"], int(match["version"] or 0))


def _opened(manifest: objects.Manifest, opened: Opened, clear: Mapping[str, object]) -> dict[str, Any]:
    """The body without SOPS metadata, with a `Secret` in every secret leaf; those hold what the field must be when applied."""
    sops = is_sops(manifest)

    def leaf(at: str, value: object) -> object:
        if not isinstance(value, str):
            return _no_number(manifest, at, value)
        if sops and _is_encrypted(value):
            return _closed(manifest, at, _clear_text(manifest, at, clear.get(at)).encode())
        return _closed_literal(manifest, at, value, opened.values)

    body = mapped({name: value for name, value in manifest.body.items() if not (sops and name == "sops")}, leaf)
    return _folded(body) if _is_secret(manifest) else body


def _closed(manifest: objects.Manifest, at: str, clear: bytes) -> secrets.Secret:
    if _is_data(manifest, at):
        _from_base64(manifest, at, clear.decode())
    return secrets.Secret(base64.b64encode(clear) if _is_string_data(manifest, at) else clear)


def _closed_literal(
    manifest: objects.Manifest, at: str, text: str, values: Mapping[secrets.VaultRef, secrets.Secret]
) -> str | secrets.Secret:
    """A leaf that Git shows: secret when it is in a Secret or holds a placeholder."""
    if _is_data(manifest, at):
        return secrets.Secret(base64.b64encode(_substituted(manifest, at, _from_base64(manifest, at, text), values)))
    if _is_string_data(manifest, at):
        return secrets.Secret(base64.b64encode(_substituted(manifest, at, text.encode(), values)))
    return secrets.Secret(_substituted(manifest, at, text.encode(), values)) if OPENING in text else text


def _substituted(manifest: objects.Manifest, at: str, raw: bytes, values: Mapping[secrets.VaultRef, secrets.Secret]) -> bytes:
    if OPENING.encode() not in raw:
        return raw

    def value(match: re.Match[str]) -> str:
        ref = _ref(match)
        if ref not in values:
            _refuse(manifest, at, f"needs {ref.alias}/{ref.path}#{ref.key}, which was not read")
        return _decode_utf8(values[ref].reveal(), at)

    return secrets.PLACEHOLDER.sub(value, raw.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _folded(body: dict[str, Any]) -> dict[str, Any]:
    """`stringData` moved into `data`, where it wins, as the API server does it; the copy that kubectl leaves is dropped."""
    data = {**(body.get("data") or {}), **(body.get("stringData") or {})}
    rest = {name: value for name, value in body.items() if name not in {"data", "stringData"}}
    return {**rest, "data": data} if data else rest


def _without_last_applied(body: dict[str, Any]) -> dict[str, Any]:
    meta = body.get("metadata") or {}
    annotations = {name: value for name, value in (meta.get("annotations") or {}).items() if name != LAST_APPLIED}
    return {**body, "metadata": {**meta, "annotations": annotations}} if "annotations" in meta else body


def _no_number(manifest: objects.Manifest, at: str, value: object) -> object:
    if value is not None and (_is_data(manifest, at) or _is_string_data(manifest, at)):
        _refuse(manifest, at, "is no text (a number or a boolean); quote it")
    return value


def _clear_text(manifest: objects.Manifest, at: str, value: object) -> str:
    if value is None:
        _refuse(manifest, at, "is missing from what sops decrypted; encrypt the file again")
    if not isinstance(value, str):
        _refuse(manifest, at, "is no text (a number or a boolean); only text can be secret: quote it, then encrypt the file again")
    return value


def _from_base64(manifest: objects.Manifest, at: str, text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        _refuse(manifest, at, "is no base64; write plain text and placeholders below stringData")


def _decode_utf8(value: bytes, at: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        message = f"the secret value at {at} is no UTF-8 text"
        raise errors.SecretRefused(message) from None


def _holds_secrets(manifest: objects.Manifest) -> bool:
    return _is_secret(manifest) or is_sops(manifest) or any(OPENING in text for _, text in _texts(manifest))


def _is_secret(manifest: objects.Manifest) -> bool:
    return manifest.key.kind == "Secret" and not manifest.key.group


def _is_data(manifest: objects.Manifest, at: str) -> bool:
    return _is_secret(manifest) and at.startswith("/data/")


def _is_string_data(manifest: objects.Manifest, at: str) -> bool:
    return _is_secret(manifest) and at.startswith("/stringData/")


def _is_encrypted(leaf: object) -> bool:
    return isinstance(leaf, str) and leaf.startswith(ENCRYPTED)


def _refuse(manifest: objects.Manifest, at: str, reason: str) -> NoReturn:
    message = f"{at} of {manifest.key} {reason}"
    raise errors.SecretRefused(message, where=str(manifest.position or "")) from None


def _where(manifest: objects.Manifest) -> str:
    return manifest.position.file if manifest.position else str(manifest.key)


def _texts(manifest: objects.Manifest) -> Iterator[tuple[str, str]]:
    """Every string that reaches the cluster, with its pointer."""
    sops = is_sops(manifest)
    return ((at, leaf) for at, leaf in leaves(manifest.body) if isinstance(leaf, str) and not (sops and at.startswith("/sops/")))


def leaves(value: object, at: str = "") -> Iterator[tuple[str, object]]:
    """Everything that is neither map nor list, with its JSON pointer (RFC 6901), in document order."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, f"{at}/{_escaped(name)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{at}/{index}")
    else:
        yield at, value


def mapped(value: Any, change: Callable[[str, object], object], at: str = "") -> Any:  # noqa: ANN401 - JSON in, JSON out
    """A copy with `change(pointer, leaf)` in place of every leaf."""
    if isinstance(value, dict):
        return {name: mapped(inner, change, f"{at}/{_escaped(name)}") for name, inner in value.items()}
    if isinstance(value, list):
        return [mapped(inner, change, f"{at}/{index}") for index, inner in enumerate(value)]
    return change(at, value)


def _escaped(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")
