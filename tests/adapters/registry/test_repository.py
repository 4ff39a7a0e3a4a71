"""What is read from a real registry, and what is not: other bytes than were asked for, other hosts, other people's signatures."""

import base64
import datetime as dt
import hashlib
import ipaddress
import json
import pathlib
import ssl
from collections.abc import Iterator, Mapping

import httpx
import pytest

from plane import ports
from plane.adapters import reach
from plane.adapters.registry import cosign, repository, signatures, sigstore
from plane.domain import errors, trust
from plane.domain.judging import artifacts, origins
from plane.domain.rendering import secrets
from tests.support import far_ends, opa_bundles
from tests.support import registry as support

WAY = reach.Reach((ipaddress.ip_network("127.0.0.0/8"),), what="registry")
BUNDLE = opa_bundles.packed({"rules/own.rego": opa_bundles.RULE.encode()})
Keys = tuple[opa_bundles.Signer, opa_bundles.Signer]
REGO = "application/vnd.cncf.openpolicyagent.policy.layer.v1+rego"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support.Registry]:
    with support.registry(tmp_path_factory.mktemp("registry") / "held") as found:
        yield found


@pytest.fixture(scope="module")
def digest(registry: support.Registry) -> str:
    return registry.push("rules:v1", ("bundle.tar.gz", BUNDLE))


@pytest.fixture
def end(tmp_path: pathlib.Path) -> Iterator[far_ends.FarEnd]:
    with far_ends.http_end(tmp_path, dt.datetime.now(dt.UTC)) as found:
        yield found


def opened(registry: support.Registry, name: str, password: str = "") -> ports.Artifacts:
    auth = ports.GitAuth("robot", secrets.Secret(password.encode()) if password else None, ca_pem=registry.ca_pem)
    return repository.opener(WAY)(ports.GitRemote("", registry.url(name), auth))


class Between:
    """In front of the registry: `changes` say what is answered instead, by the end of the path."""

    def __init__(self, end: far_ends.FarEnd, registry: support.Registry) -> None:
        self.changes: dict[str, tuple[int, bytes, Mapping[str, str]]] = {}
        self.http = httpx.Client(base_url=f"https://{registry.address}", verify=ssl.create_default_context(cadata=registry.ca_pem))
        self.url, self.end = f"oci://localhost:{end.port}/rules", end
        end.answer = self._answer

    def _answer(self, got: far_ends.Received) -> tuple[int, bytes, Mapping[str, str]]:
        for path, instead in self.changes.items():
            if got.path.endswith(path):
                return instead
        said = self.http.request(got.method, got.path)
        return said.status_code, said.content, {name: said.headers[name] for name in ("docker-content-digest",) if name in said.headers}

    def open(self) -> ports.Artifacts:
        auth = ports.GitAuth("robot", secrets.Secret(b"told-to-nobody-else"), ca_pem=self.end.ca_pem)
        return repository.opener(WAY)(ports.GitRemote("", self.url, auth))


@pytest.fixture
def between(end: far_ends.FarEnd, registry: support.Registry, digest: str) -> Iterator[Between]:
    assert digest
    found = Between(end, registry)
    yield found
    found.http.close()


def refusal(asked: ports.Artifacts, digest: str, kind: type[errors.PlaneError] = errors.SourceRefused) -> str:
    with pytest.raises(kind) as refused:
        asked.pull(digest)
    return str(refused.value)


def test_a_tag_is_the_digest_of_what_is_pulled(registry: support.Registry, digest: str) -> None:
    rules = opened(registry, "rules")
    assert (rules.digest("v1"), rules.digest("v2")) == (digest, "")
    assert rules.pull(digest) == artifacts.Pulled(bundle=BUNDLE)


def test_files_that_conftest_pushes_keep_their_names(registry: support.Registry) -> None:
    pushed = registry.push("team/files:v1", ("policy/a.rego", b"package a"), ("policy/b.rego", b"package b"), media=REGO)
    files = opened(registry, "team/files")
    assert files.pull(pushed).files == {"policy/a.rego": b"package a", "policy/b.rego": b"package b"}
    assert files.tags() == 1


def test_an_image_of_anything_else_is_no_policy_set(registry: support.Registry) -> None:
    pushed = registry.push("other:v1", ("app.wasm", b"x"), media="application/wasm")
    assert "has neither an OPA bundle" in refusal(opened(registry, "other"), pushed)


def test_a_private_repository_is_read_with_its_credential_alone(registry: support.Registry) -> None:
    pushed = registry.push("private/rules:v1", ("bundle.tar.gz", BUNDLE))
    assert opened(registry, "private/rules", support.PASSWORD).pull(pushed).bundle == BUNDLE
    for password, sentence in (("", "refuses a log-in without a credential; name one"), ("wrong-canary", "refuses the credential")):
        said = refusal(opened(registry, "private/rules", password), pushed)
        assert sentence in said
        assert "canary" not in said


def test_other_bytes_than_the_digest_names_are_refused(between: Between, digest: str) -> None:
    blob = f"sha256:{hashlib.sha256(BUNDLE).hexdigest()}"
    between.changes = {blob: (200, opa_bundles.packed({"rules/own.rego": b"package plane.rules.own"}), {})}
    assert refusal(between.open(), digest).endswith(f"what the registry gives for {blob[:19]}… is something else")
    between.changes = {digest: (200, b'{"layers": []}', {})}
    assert "is something else" in refusal(between.open(), digest)


def test_more_bytes_than_were_announced_are_not_read_to_their_end(between: Between, digest: str) -> None:
    between.changes = {"/manifests/v9": (200, b"x" * (artifacts.MAX_MANIFEST_BYTES + 1), {}), "/v8": (200, b"x", {})}
    with pytest.raises(errors.SourceRefused, match="answers with more than the 4,194,304 bytes"):
        between.open().digest("v9")
    between.changes = {f"sha256:{hashlib.sha256(BUNDLE).hexdigest()}": (200, b"x" * 70_000, {})}
    assert "answers with more than the" in refusal(between.open(), digest)


def test_a_digest_that_is_not_announced_is_counted(between: Between) -> None:
    between.changes = {"/manifests/v1": (200, b"{}", {})}
    assert between.open().digest("v1") == f"sha256:{hashlib.sha256(b'{}').hexdigest()}"


def test_blobs_may_lie_elsewhere_and_the_log_in_stays_here(between: Between, digest: str, tmp_path: pathlib.Path) -> None:
    blob = f"/blobs/sha256:{hashlib.sha256(BUNDLE).hexdigest()}"
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "far.crt").write_bytes((tmp_path / "far.crt").read_bytes())
    challenge = {"WWW-Authenticate": 'Basic realm="here"'}
    with far_ends.http_end(tmp_path / "store", dt.datetime.now(dt.UTC)) as store:
        store.answer = lambda _: (200, BUNDLE)
        between.end.ca_pem += store.ca_pem
        forward = between.end.answer

        def answer(got: far_ends.Received) -> tuple[int, bytes, Mapping[str, str]]:
            if not got.headers.get("authorization", "").startswith("Basic "):
                return 401, b"", challenge
            if got.path.endswith(blob):
                return 307, b"", {"Location": f"https://localhost:{store.port}/kept?signature=1"}
            status, body, *more = forward(got)
            return status, body, more[0] if more else {}

        between.end.answer = answer
        assert between.open().pull(digest).bundle == BUNDLE
        [asked] = store.requests
        assert (asked.path, "authorization" in asked.headers) == ("/kept?signature=1", False)


@pytest.mark.parametrize(
    ("location", "kind", "sentence"),
    [
        ("http://localhost/x", errors.SourceRefused, "redirects to what is no https:// address"),
        ("https://169.254.169.254/latest", errors.BackendDown, "169.254.169.254, which is not public"),
        ("/again", errors.SourceRefused, "more than 5 redirects"),
    ],
)
def test_a_registry_leads_nowhere_else(between: Between, digest: str, location: str, kind: type[errors.PlaneError], sentence: str) -> None:
    lead = (302, b"", {"Location": location})
    between.changes = {"/again": lead, digest: lead}
    assert sentence in refusal(between.open(), digest, kind)


@pytest.mark.parametrize(
    ("challenge", "kind", "sentence"),
    [
        ('Bearer realm="http://localhost/token"', errors.SourceRefused, "token service that is no https:// address"),
        ('Bearer realm="https://10.0.0.1/token"', errors.BackendDown, "10.0.0.1, which is not public"),
        ("Negotiate", errors.SourceRefused, "wants a log-in"),
    ],
)
def test_a_credential_goes_to_no_token_service_that_is_none(
    between: Between, digest: str, challenge: str, kind: type[errors.PlaneError], sentence: str
) -> None:
    between.changes = {digest: (401, b"", {"WWW-Authenticate": challenge})}
    assert sentence in refusal(between.open(), digest, kind)


@pytest.mark.parametrize(
    ("status", "kind"), [(403, errors.SourceRefused), (404, errors.SourceRefused), (429, errors.BackendDown), (500, errors.BackendDown)]
)
def test_what_may_be_better_later_is_told_from_what_is_not(
    between: Between, digest: str, status: int, kind: type[errors.PlaneError]
) -> None:
    between.changes = {digest: (status, b"canary", {})}
    assert "canary" not in refusal(between.open(), digest, kind)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    return opa_bundles.Signer(folder, "ES256"), opa_bundles.Signer(folder, "RS256")


@pytest.fixture(scope="module")
def signed(registry: support.Registry, digest: str, keys: Keys) -> str:
    for key in keys:
        registry.sign("rules", digest, key.private)
    return digest


def test_each_key_is_known_by_its_own_signature(registry: support.Registry, signed: str, keys: Keys, tmp_path: pathlib.Path) -> None:
    rules = opened(registry, "rules")
    for key in keys:
        assert rules.signed(signed, [key.trusted()]) == origins.Signed(by=f"tenant/{key.algorithm}")
    stranger = opa_bundles.Signer(tmp_path, "ES256").trusted()
    assert rules.signed(signed, [stranger]).problem == "is signed by none of the keys that are trusted here (tenant/ES256)"
    assert "there are none for cosign" in rules.signed(signed, [keys[0].trusted(scope="write")]).problem


def test_nothing_beside_it_is_no_signature(registry: support.Registry) -> None:
    pushed = registry.push("unsigned:v1", ("bundle.tar.gz", BUNDLE + b"\0"))
    assert "carries no signature of cosign; sign it with" in opened(registry, "unsigned").signed(pushed, []).problem


def test_another_artifacts_signature_is_none_of_this_one(between: Between, registry: support.Registry, signed: str, keys: Keys) -> None:
    other = registry.push("rules:v2", ("bundle.tar.gz", opa_bundles.packed({"b.rego": b"package plane.rules.b"})))
    copied = between.http.get(f"/v2/rules/manifests/{cosign.tag(signed)}").content
    between.changes = {cosign.tag(other): (200, copied, {})}
    assert "is signed by none of the keys" in between.open().signed(other, [keys[0].trusted()]).problem


def test_a_signature_without_a_key_is_refused_by_name(registry: support.Registry, keys: Keys) -> None:
    pushed = registry.push("keyless:v1", ("bundle.tar.gz", BUNDLE))
    registry.sign("keyless", pushed, keys[0].private, certificate="-----BEGIN CERTIFICATE-----")
    said = opened(registry, "keyless").signed(pushed, [keys[0].trusted()]).problem
    assert said.startswith("is signed without a key (keyless), and only keys can be trusted here; sign it with `cosign sign --key")


def test_a_bundle_that_refers_to_an_artifact_signs_it(registry: support.Registry, keys: Keys) -> None:
    pushed = registry.push("newer:v1", ("bundle.tar.gz", BUNDLE))
    registry.refer("newer", pushed, keys[0].private, predicate="https://slsa.dev/provenance/v1")
    newer = opened(registry, "newer")
    assert newer.signed(pushed, [keys[0].trusted()]).problem.startswith("carries no signature of cosign")
    registry.refer("newer", pushed, keys[0].private)
    assert newer.signed(pushed, [keys[1].trusted(), keys[0].trusted()]) == origins.Signed(by="tenant/ES256")
    assert "is signed by none of the keys" in newer.signed(pushed, [keys[1].trusted()]).problem


def test_older_registries_have_a_tag_for_what_refers_to_an_artifact(between: Between, registry: support.Registry, keys: Keys) -> None:
    pushed = registry.push("rules:v3", ("bundle.tar.gz", opa_bundles.packed({"c.rego": b"package plane.rules.c"})))
    registry.refer("rules", pushed, keys[0].private)
    listed = between.http.get(f"/v2/rules/referrers/{pushed}").content
    between.changes = {f"/referrers/{pushed}": (405, b"", {}), pushed.replace(":", "-"): (200, listed, {})}
    assert between.open().signed(pushed, [keys[0].trusted()]).by == "tenant/ES256"


def statement(digest: str = "a", **changes: object) -> bytes:
    said = {"predicateType": sigstore.SIGNS, "subject": [{"digest": {"sha256": digest}}]} | changes
    envelope = {
        "payload": base64.b64encode(json.dumps(said).encode()).decode(),
        "payloadType": sigstore.STATEMENT,
        "signatures": [{"sig": "AA=="}],
    }
    return json.dumps({"dsseEnvelope": envelope, "verificationMaterial": changes.get("material", {})}).encode()


@pytest.mark.parametrize(
    ("bundle", "told"),
    [
        (statement(), (True, False)),
        (statement("b"), (False, False)),
        (statement(subject=[]), (False, False)),
        (statement(material={"certificate": {"rawBytes": "AA=="}}), (True, True)),
        (statement(material={"x509CertificateChain": {}}), (True, True)),
        (statement(predicateType="https://cyclonedx.org/bom"), None),
        (statement().replace(b"in-toto", b"other"), None),
        (statement().replace(b'"AA=="}]', b'"AA=="}, {"sig": ""}]'), None),
        (b'{"messageSignature": {}}', None),
        (b"[" * 100_000, None),
    ],
)
def test_a_bundle_is_about_what_it_states(bundle: bytes, told: tuple[bool, bool] | None) -> None:
    claim = sigstore.claim(bundle, "sha256:a")
    assert (claim and (claim.about, claim.keyless)) == told


def test_a_key_that_is_none_signs_nothing() -> None:
    key = trust.Trusted("tenant/x", "ES256", secrets.Secret(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"))
    assert "signed by none" in signatures.judged([signatures.Claim(b"x", "AAAA", about=True)], [key]).problem
