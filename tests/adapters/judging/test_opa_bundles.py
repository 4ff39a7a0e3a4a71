"""Bundles as `opa build` and `opa sign` make them, and whose signature holds."""

import contextlib
import pathlib
from collections.abc import Iterator

import pytest

from plane import config
from plane.adapters.judging import opa, opa_files
from plane.domain import errors, trust
from plane.domain.judging import bundles, origins, policy
from tests.support import opa_bundles

SHIPPED = opa_files.shipped()
CONTEXT = policy.PolicyContext(tenant="acme", project="shop", app="web", cluster="one", now="2026-01-01T00:00:00Z")
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}}


@pytest.fixture(scope="module")
def engine() -> Iterator[opa.Opa]:
    with contextlib.closing(opa.Opa(config.program("opa"), SHIPPED.base, deadline_s=20)) as found:
        yield found


@pytest.fixture(scope="module")
def es256(tmp_path_factory: pytest.TempPathFactory) -> opa_bundles.Signer:
    return opa_bundles.Signer(tmp_path_factory.mktemp("key"), "ES256")


@pytest.fixture
def place(tmp_path: pathlib.Path) -> pathlib.Path:
    return opa_bundles.folder(tmp_path / "set", opa_bundles.FILES)


def refusals(engine: opa.Opa, packed: bytes, *keys: trust.Trusted) -> dict[str, str]:
    with pytest.raises(errors.Invalid) as refused:
        engine.open(packed, keys)
    return refused.value.problems


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "HS256"])
def test_what_opa_build_signed_is_signed(engine: opa.Opa, place: pathlib.Path, tmp_path: pathlib.Path, algorithm: trust.Algorithm) -> None:
    signer = opa_bundles.Signer(tmp_path, algorithm)
    bundle, signed = engine.open(opa_bundles.built(place, signer), [signer.trusted()])
    assert signed == origins.Signed(by=f"tenant/{algorithm}")
    assert (bundle.manifest.revision, bundle.manifest.metadata) == ("r7", {"team": "shop"})
    assert sorted(bundle.texts) == ["data.json", "set/owners.rego", "set/owners_test.rego"]


def test_what_opa_sign_signed_is_signed_for_its_scope(engine: opa.Opa, place: pathlib.Path, es256: opa_bundles.Signer) -> None:
    packed = opa_bundles.signed(place, es256, scope="policies")
    assert engine.open(packed, [es256.trusted(scope="policies")])[1].by == "tenant/ES256"
    assert "and key tenant/ES256 signs for 'other' alone" in str(refusals(engine, packed, es256.trusted(scope="other")))


def test_rules_read_the_bundles_data_under_its_path(engine: opa.Opa, place: pathlib.Path) -> None:
    for packed in (opa_bundles.built(place), opa_bundles.packed({name: text.encode() for name, text in opa_bundles.FILES.items()})):
        bundle, _ = engine.open(packed, ())
        (found,) = engine.violations(policy.policy_files("own", bundle.texts), policy.PolicyInput((POD,), CONTEXT))
        assert found.message == "no owner"


def test_copies_of_the_planes_library_are_no_part_of_a_set(engine: opa.Opa, tmp_path: pathlib.Path) -> None:
    library = {f"plane/{name}": text for name, text in SHIPPED.base.items() if name.startswith("lib/")}
    rule = "package plane.rules.own\n\nimport data.plane.lib\n\nabout := lib.about(rego.metadata.chain())\n\nviolations contains about\n"
    bundle, _ = engine.open(opa_bundles.built(opa_bundles.folder(tmp_path / "set", {**library, "own.rego": rule})), ())
    assert list(bundle.texts) == ["data.json", "set/own.rego"]


def test_an_unsigned_bundle_says_so(engine: opa.Opa, place: pathlib.Path, es256: opa_bundles.Signer) -> None:
    signed = engine.open(opa_bundles.built(place), [es256.trusted()])[1]
    assert signed.by == ""
    assert signed.problem.startswith("carries no signature (.signatures.json)")


def test_a_key_that_nobody_trusts_signs_nothing(
    engine: opa.Opa, place: pathlib.Path, es256: opa_bundles.Signer, tmp_path: pathlib.Path
) -> None:
    packed = opa_bundles.built(place, opa_bundles.Signer(tmp_path, "ES256"))
    assert engine.open(packed, [es256.trusted()])[1].problem == "is signed by none of the keys that are trusted here (tenant/ES256)"


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"owned/data.json": b'{"kinds": []}'}, "bundle/owned/data.json", "is not what was signed"),
        ({"owners.rego": b"package plane.rules.owners\n"}, "bundle/owners.rego", "is not what was signed"),
        ({".manifest": b"{}"}, "bundle/.manifest", "is not what was signed"),
        ({"more.rego": b"package plane.rules.more\n"}, "bundle/more.rego", "is not among the files that the bundle's signature is about"),
        ({"owners.rego": None}, "bundle/.signatures.json", "signs owners.rego, which is not in the bundle"),
    ],
)
def test_what_was_changed_after_it_was_signed_is_refused(
    engine: opa.Opa, place: pathlib.Path, es256: opa_bundles.Signer, change: dict[str, bytes | None], field: str, problem: str
) -> None:
    whole = {**bundles.read(opa_bundles.signed(place, es256)).contents, **change}
    packed = opa_bundles.packed({name: body for name, body in whole.items() if body is not None})
    assert refusals(engine, packed, es256.trusted()) == {field: problem}


@pytest.mark.parametrize("token", ["", "a.b.c", "e30.e30.", "W1tbW1s.e30.AAAA", "eyJhbGciOiJub25lIn0.e30."])
def test_a_signature_that_is_none_is_nobodys(engine: opa.Opa, es256: opa_bundles.Signer, token: str) -> None:
    packed = opa_bundles.packed({"own.rego": opa_bundles.RULE.encode(), ".signatures.json": f'{{"signatures": ["{token}"]}}'.encode()})
    assert engine.open(packed, [es256.trusted()])[1].problem.startswith("is signed by none of the keys")


@pytest.mark.parametrize("text", ["", "[]", '{"signatures": []}', '{"signatures": ["a.b.c", "a.b.c"]}', '{"a":' * 5000])
def test_signatures_that_cannot_be_read_are_refused(engine: opa.Opa, es256: opa_bundles.Signer, text: str) -> None:
    packed = opa_bundles.packed({"own.rego": opa_bundles.RULE.encode(), ".signatures.json": text.encode()})
    assert list(refusals(engine, packed, es256.trusted())) == ["bundle/.signatures.json"]


def test_blanks_and_the_order_of_keys_are_no_change_of_data(engine: opa.Opa, place: pathlib.Path, es256: opa_bundles.Signer) -> None:
    whole = dict(bundles.read(opa_bundles.signed(place, es256)).contents)
    whole["owned/data.json"] = '{"\u2028 wörter <&>": "a\\u0007\u2028",\n "weights": [1.50, 1e3, -0], "kinds": ["Pod"]}'.encode()
    assert engine.open(opa_bundles.packed(whole), [es256.trusted()])[1].by == "tenant/ES256"


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        (
            '{"roots": ["plane/rules", "plane/rules/owners", "owned"]}',
            "manifest has overlapped roots: 'plane/rules' and 'plane/rules/owners'",
        ),
        (
            '{"roots": ["plane/rules/other", "owned"]}',
            "manifest roots [plane/rules/other owned] do not permit 'package plane.rules.owners'",
        ),
    ],
)
def test_roots_that_collide_are_refused_in_opas_words(engine: opa.Opa, manifest: str, problem: str) -> None:
    packed = opa_bundles.packed({name: text.encode() for name, text in {**opa_bundles.FILES, ".manifest": manifest}.items()})
    assert refusals(engine, packed)["bundle"].startswith(problem)


def test_data_stays_out_of_the_drivers_way(engine: opa.Opa) -> None:
    for name, text in (("plane/data.json", "{}"), ("data.json", '{"system": 1}'), ("system/x/data.yaml", "{}")):
        files = policy.policy_files("own", {"own.rego": opa_bundles.RULE, name: text})
        with pytest.raises(policy.PolicyInvalid, match=r"data below '(plane|system)' belongs to the plane or to OPA"):
            engine.check(files)


def check(engine: opa.Opa, test: str) -> None:
    files = policy.policy_files("own", {"owners.rego": opa_bundles.RULE, "data.json": '{"owned": {"kinds": ["Pod"]}}'})
    engine.check(files, {"x/own_test.rego": f"package t\n\nimport data.plane.rules.owners\n\n{test}\n"})


def test_a_set_passes_its_own_tests_before_it_is_taken(engine: opa.Opa) -> None:
    check(engine, "test_a_pod if count(owners.violations) == 1 with input.manifest.kind as `Pod`")
    check(engine, "todo_test_later if false")


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        ("test_fails if count(owners.violations) == 2", "t.test_fails: failed"),
        ("test_x if nobody.knows", "rego_unsafe_var_error: var nobody is unsafe"),
        ('test_x if http.send({"url": "x"})', "rego_type_error: undefined function http.send"),
    ],
)
def test_a_set_that_breaks_its_own_tests_is_refused_by_line(engine: opa.Opa, test: str, problem: str) -> None:
    with pytest.raises(policy.PolicyInvalid) as refused:
        check(engine, test)
    assert str(refused.value) == f"policy set own breaks its own tests: x/own_test.rego:5: {problem}"


def test_a_module_that_does_not_compile_is_named_with_row_and_column(engine: opa.Opa) -> None:
    broken = "package plane.rules.bad\n\nviolations contains x if {\n\ty == 1\n}\n"
    lib = "package plane.rules.good\n\nimport data.plane.lib\n\nabout := lib.about(rego.metadata.chain())\n"
    copies = {f"plane/{name}": text.encode() for name, text in SHIPPED.base.items() if name.startswith("lib/")}
    for more in ({}, copies):
        packed = opa_bundles.packed({"rules/bad.rego": broken.encode(), "rules/good.rego": lib.encode(), **more})
        assert refusals(engine, packed) == {"bundle": "rules/bad.rego:3:21: var x is unsafe"}
