"""What an archive may hold to be a policy set."""

import functools
import gzip
import io
import tarfile

import pytest

from plane.domain import errors
from plane.domain.judging import bundles, styles

RULE = b"package plane.rules.own\n"


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as tar:
        for member, body in members:
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return whole.getvalue()


def headers(*several: tuple[str, bytes, bytes]) -> bytes:
    """Headers alone: name, kind and size as it is written."""
    return gzip.compress(b"".join(header(*one) for one in several) + bytes(1024))


@functools.cache
def header(name: str, kind: bytes, size: bytes) -> bytes:
    made = bytearray(member(name, kind).tobuf())
    made[124:136], made[148:156] = size, b" " * 8
    made[148:156] = b"%06o\0 " % sum(made)
    return bytes(made)


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


def rego(*names: str) -> bytes:
    return packed(*((member(name), RULE) for name in names))


def with_manifest(text: str, **more: bytes) -> bytes:
    return packed((member("/.manifest"), text.encode()), (member("own.rego"), RULE), *((member(name), body) for name, body in more.items()))


@pytest.mark.parametrize("name", ["own.rego", "/own.rego", "./own.rego"])
def test_opa_and_tar_write_names_in_their_own_ways(name: str) -> None:
    assert bundles.read(packed((member("./", tarfile.DIRTYPE), b""), (member(name), RULE))).texts == {"own.rego": RULE.decode()}


PATH = "is no path inside the bundle; write it relative, without `..`"
LINK = "is a link or a device; a bundle holds plain files"
COMPILED = "is compiled; build the bundle with `opa build --target rego`"


REFUSED = {
    "no archive": (b"no archive", "bundle", "is no gzipped tar archive"),
    "cut off": (rego("own.rego")[:-20], "bundle", "is no gzipped tar archive"),
    "no tar": (gzip.compress(b"no tar" * 1000), "bundle", "is no gzipped tar archive"),
    "size beyond numbers": (headers(("own.rego", b"0", b"\x80" + b"\xff" * 11)), "bundle", "is no gzipped tar archive"),
    "size below nothing": (headers(("own.rego", b"0", b"\xff" * 10 + b"\xfc\x00")), "bundle", "is no gzipped tar archive"),
    "headers about headers": (headers(*[("x", b"x", b"0" * 11 + b"\0")] * 5000), "bundle", "is no gzipped tar archive"),
    "empty": (packed(), "bundle", "holds no module"),
    "out of the bundle": (rego("../own.rego"), "bundle/../own.rego", PATH),
    "out of it from below": (rego("a/../../own.rego"), "bundle/a/../../own.rego", PATH),
    "absolute": (rego("//etc/own.rego"), "bundle///etc/own.rego", PATH),
    "backslash": (rego("a\\own.rego"), "bundle/a\\\\own.rego", PATH),
    "control character": (rego("own\n.rego"), "bundle/own\\n.rego", PATH),
    "symbolic link": (packed((member("own.rego", tarfile.SYMTYPE, "/etc/passwd"), b"")), "bundle/own.rego", LINK),
    "hard link": (packed((member("own.rego", tarfile.LNKTYPE, "/etc/passwd"), b"")), "bundle/own.rego", LINK),
    "device": (packed((member("own.rego", tarfile.CHRTYPE), b"")), "bundle/own.rego", LINK),
    "two of a name": (rego("own.rego", "./own.rego"), "bundle/own.rego", "is there twice"),
    "wasm": (rego("policy.wasm"), "bundle/policy.wasm", COMPILED),
    "plan": (rego("plan.json"), "bundle/plan.json", COMPILED),
    "delta": (rego("patch.json"), "bundle/patch.json", "makes it a delta bundle; send the whole set"),
    "other file": (rego("README.md"), "bundle/README.md", "is neither a .rego file nor"),
    "no text": (packed((member("own.rego"), b"\xff")), "bundle/own.rego", "is no UTF-8 text"),
    "NUL": (packed((member("own.rego"), b"package a\0")), "bundle/own.rego", "is no UTF-8 text, or holds the character NUL"),
    "NUL in a manifest": (with_manifest('{"revision": "\\u0000"}'), "bundle/.manifest", "is no UTF-8 text, or holds the character NUL"),
    "too large": (packed((member("own.rego"), b" " * (bundles.MAX_BYTES + 1))), "bundle", "is larger than 4,194,304 bytes when unpacked"),
    "too many": (rego(*(f"{n}.rego" for n in range(bundles.MAX_FILES + 1))), "bundle", "holds more than 1000 files"),
    "no manifest": (with_manifest("[]"), "bundle/.manifest", "cannot be read: Expected `object`"),
    "manifest in a manifest": (with_manifest('{"a":' * 5000), "bundle/.manifest", "cannot be read: "),
    "wasm resolvers": (with_manifest('{"wasm": [{"entrypoint": "x"}]}'), "bundle/.manifest", "names wasm resolvers"),
    "unknown Rego": (with_manifest('{"rego_version": 2}'), "bundle/.manifest", "cannot be read: Invalid enum value 2"),
    "root of the driver": (with_manifest('{"roots": ["plane/main/x"]}'), "bundle/.manifest", "the root 'plane/main/x' belongs to"),
    "root of OPA": (with_manifest('{"roots": ["/system/"]}'), "bundle/.manifest", "the root '/system/' belongs to the plane or to OPA"),
    "data outside roots": (with_manifest('{"roots": ["a"]}', **{"ab/data.json": b"{}"}), "bundle/ab/data.json", "lies outside the"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_policy_set_is_refused_by_file(name: str) -> None:
    archive, field, rule = REFUSED[name]
    with pytest.raises(errors.Invalid) as refused:
        bundles.read(archive)
    assert refused.value.problems[field].startswith(rule)


@pytest.mark.parametrize(
    ("manifest", "style", "problem"),
    [
        ("{}", styles.PLANE, ""),
        ('{"rego_version": 1}', styles.PLANE, ""),
        ('{"rego_version": 0}', styles.PLANE, "its modules are Rego v0; "),
        ('{"rego_version": 0}', styles.Style("conftest", rego_version="v0"), ""),
        ('{"rego_version": 1}', styles.Style("conftest", rego_version="v0"), "its modules are Rego v1 and"),
        ('{"rego_version": 1, "file_rego_versions": {"/a": 0}}', styles.PLANE, "its modules are of two versions of Rego"),
        ("{}", styles.Style("gatekeeper"), "a set of kind gatekeeper consists of documents"),
    ],
)
def test_a_bundle_has_the_style_that_the_set_says(manifest: str, style: styles.Style, problem: str) -> None:
    found = bundles.style_problem(bundles.read(with_manifest(manifest)), style)
    assert found.startswith(problem)
    assert bool(found) == bool(problem)


def test_conftest_knows_no_folders_of_data() -> None:
    bundle = bundles.read(with_manifest("{}", **{"x/data.json": b"{}"}))
    assert bundles.style_problem(bundle, styles.Style("conftest")).startswith("conftest lays all data")
    assert bundles.style_problem(bundle, styles.PLANE) == ""
