"""Which addresses, references and manifests name a policy set in a registry."""

import pytest

from plane.domain import errors
from plane.domain.judging import artifacts

BUNDLE = "application/vnd.oci.image.layer.v1.tar+gzip"
REGO = "application/vnd.cncf.openpolicyagent.policy.layer.v1+rego"
DIGEST = "sha256:" + "a" * 64


def layer(media: str = BUNDLE, digest: str = DIGEST, size: int = 10, name: str = "") -> artifacts.Descriptor:
    return artifacts.Descriptor(media, digest, size, {artifacts.TITLE: name} if name else {})


@pytest.mark.parametrize("url", ["oci://registry.example/rules", "oci://localhost:5000/team/rules_a.b--c/x/", "oci://[::1]:5000/a"])
def test_a_repository_of_a_registry_is_named_by_host_and_path(url: str) -> None:
    assert artifacts.address_problem(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "oci://registry.example",
        "oci://registry.example/rules:v1",
        f"oci://registry.example/rules@{DIGEST}",
        "oci://robot:word@registry.example/rules",
        "oci://registry.example/Rules",
        "oci://registry.example/../rules",
        "oci://registry.example/a//b",
        "oci://registry.example/a?x=1",
        "oci://registry.example/rules\n",
        "oci://-x/rules",
        "oci://registry.example:0/rules",
        "oci:///rules",
    ],
)
def test_anything_else_is_refused_without_repeating_it(url: str) -> None:
    assert artifacts.address_problem(url).startswith("must be oci://HOST/REPOSITORY")


@pytest.mark.parametrize("revision", ["v1", "1.2.3-rc.1", "_", DIGEST])
def test_a_tag_or_a_digest_names_an_artifact(revision: str) -> None:
    assert artifacts.reference_problem(revision) == ""


@pytest.mark.parametrize("revision", ["", "HEAD", ".v1", "a/b", "v" * 129, "sha256:abc", "sha512:" + "a" * 128, "v1\n"])
def test_nothing_else_does(revision: str) -> None:
    assert artifacts.reference_problem(revision)


def test_the_bundle_is_found_among_layers_of_other_kinds() -> None:
    found = artifacts.Manifest((layer("application/json"), layer(), layer(REGO, name="a.rego")))
    assert artifacts.members(found, "x") == (layer(),)


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        ((), "has neither an OPA bundle"),
        ((layer(), layer()), "has 2 layers that are bundles"),
        ((layer(REGO),), "has files without a name"),
        ((layer(REGO, name="a.rego"), layer(REGO, name="a.rego")), "two of one name"),
        ((layer(size=artifacts.MAX_PACKED_BYTES + 1),), "has more than 4,194,304 bytes"),
        ((layer(size=-1),), "without a size or a SHA-256 digest"),
        ((layer(digest="sha512:" + "a" * 128),), "without a size or a SHA-256 digest"),
        (tuple(layer(REGO, name=f"{n}.rego") for n in range(1001)), "has more than 1,000 files"),
    ],
)
def test_what_is_no_policy_set_is_refused_before_it_is_pulled(layers: tuple[artifacts.Descriptor, ...], sentence: str) -> None:
    with pytest.raises(errors.SourceRefused, match=sentence):
        artifacts.members(artifacts.Manifest(layers), "x")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"no", "its manifest cannot be read"),
        (b'{"layers": [{"size": 1}]}', "its manifest cannot be read"),
        (b"[" * 100_000, "its manifest cannot be read"),
        (b'{"manifests": [{}]}', "is an index of several images"),
    ],
)
def test_a_manifest_that_is_none_is_refused(body: bytes, sentence: str) -> None:
    with pytest.raises(errors.SourceRefused, match=sentence):
        artifacts.manifest(body, "x")
