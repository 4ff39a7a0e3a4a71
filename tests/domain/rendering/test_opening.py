"""What must be opened, and what is left in its place."""

import base64
import pathlib

import msgspec
import pytest

from plane.domain import errors, objects
from plane.domain.reading import manifests
from plane.domain.rendering import opening, secrets

CANARY = "canary-7f3a-p4ssw0rd"
KEY = b"project key of 32 bytes or more.."


def read(text: str) -> tuple[objects.Manifest, ...]:
    return manifests.read(text.encode(), file="app/secret.yaml")


def secret_with(fields: str) -> tuple[objects.Manifest, ...]:
    return read(f"apiVersion: v1\nkind: Secret\nmetadata: {{name: db, namespace: shop}}\n{fields}\n")


def config_with(fields: str) -> tuple[objects.Manifest, ...]:
    return read(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web, namespace: shop}}\n{fields}\n")


def fill(found: tuple[objects.Manifest, ...], opened: opening.Opened | None = None) -> opening.Filled:
    return opening.fill(found, opened or opening.Opened(), name=lambda place, value: secrets.fingerprint(KEY, place, value))


def values(filled: opening.Filled) -> dict[str, bytes]:
    return {place.pointer: value.reveal() for place, value in filled.secrets}


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def needs(found: tuple[objects.Manifest, ...], *aliases: str) -> opening.Needs:
    return opening.needs(found, aliases=frozenset(aliases))


REF = secrets.VaultRef("main", "team/db", "password")


def test_a_placeholder_in_any_text_is_a_need() -> None:
    found = config_with('data: {url: "db://app:${secret:vault:main/team/db#password@3}@db/${secret:vault:main/team/db#name}"}')
    wanted = needs(found, "main")
    assert wanted.refs == {secrets.VaultRef("main", "team/db", "password", 3), secrets.VaultRef("main", "team/db", "name")}
    assert wanted.volatile()


def test_a_placeholder_inside_base64_is_a_need() -> None:
    found = secret_with(f"data: {{password: {b64('${secret:vault:main/team/db#password@1}')}}}")
    wanted = needs(found, "main")
    assert wanted.refs == {secrets.VaultRef("main", "team/db", "password", 1)}
    assert not wanted.volatile()


def test_plain_objects_need_nothing_and_stay_as_they_are() -> None:
    found = config_with("data: {a: b}")
    assert needs(found) == opening.Needs()
    assert fill(found) == opening.Filled(found, ())


def test_an_unknown_alias_is_refused_and_the_known_ones_are_named() -> None:
    found = config_with("data: {a: '${secret:vault:prod/team/db#password}'}")
    with pytest.raises(errors.SecretRefused, match=r"app/secret.yaml:1: /data/a .*'prod'.*\(it has: dev, main\)"):
        needs(found, "main", "dev")


@pytest.mark.parametrize(
    "text", ["${secret:vault:main/team}", "${secret:vault:Main/a#b}", "${secret:aws:x#y}", "${secret:vault:main/a#b@x}"]
)
def test_a_malformed_placeholder_is_refused(text: str) -> None:
    with pytest.raises(errors.SecretRefused, match="malformed placeholder"):
        needs(config_with(f"data: {{a: '{text}'}}"), "main")


@pytest.mark.parametrize("field", ["name: a, namespace", "name", "name: a, labels: {app"])
def test_what_an_object_is_cannot_be_secret(field: str) -> None:
    end = "}" if "{" in field else ""
    found = read(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{{field}: '${{secret:vault:main/a#b}}'{end}}}")
    with pytest.raises(errors.SecretRefused, match="cannot be secret"):
        needs(found, "main")


def test_a_placeholder_is_replaced_inside_its_text() -> None:
    found = config_with("data: {url: 'db://app:${secret:vault:main/team/db#password}@db'}")
    filled = fill(found, opening.Opened(values={REF: secrets.Secret(CANARY.encode())}))
    assert values(filled) == {"/data/url": f"db://app:{CANARY}@db".encode()}
    assert filled.manifests[0].body["data"]["url"].startswith("hmac-sha256:")


def test_literal_data_of_a_secret_is_sealed_too() -> None:
    filled = fill(secret_with(f"data: {{password: {b64(CANARY)}}}"))
    assert values(filled) == {"/data/password": b64(CANARY).encode()}


def test_string_data_is_folded_into_data_and_wins() -> None:
    filled = fill(secret_with(f"data: {{a: {b64('old')}, b: {b64('kept')}}}\nstringData: {{a: new}}"))
    assert values(filled) == {"/data/a": b64("new").encode(), "/data/b": b64("kept").encode()}
    assert "stringData" not in filled.manifests[0].body


def test_a_value_inside_base64_is_replaced_and_encoded_again() -> None:
    text = b64("user=app\npassword=${secret:vault:main/team/db#password}\n")
    filled = fill(secret_with(f"data: {{env: {text}}}"), opening.Opened(values={REF: secrets.Secret(CANARY.encode())}))
    assert base64.b64decode(values(filled)["/data/env"]) == f"user=app\npassword={CANARY}\n".encode()


def test_keys_are_escaped_in_pointers_and_found_again() -> None:
    filled = fill(secret_with("stringData: {'tls/a~b': x}"))
    assert list(values(filled)) == ["/data/tls~1a~0b"]
    assert opening.restore(filled.manifests[0].body, values(filled))["data"] == {"tls/a~b": b64("x")}


def test_the_agent_restores_what_was_filled() -> None:
    found = config_with("data: {plain: 'yes', list: '${secret:vault:main/team/db#password}'}")
    filled = fill(found, opening.Opened(values={REF: secrets.Secret(CANARY.encode())}))
    assert opening.restore(filled.manifests[0].body, values(filled))["data"] == {"plain": "yes", "list": CANARY}


def test_a_sealed_value_for_no_text_is_refused() -> None:
    with pytest.raises(errors.SecretRefused, match="belongs to no text"):
        opening.restore({"data": {"a": "b"}}, {"/data/c": b"x"})


def test_equal_values_at_two_places_have_different_fingerprints() -> None:
    data = fill(secret_with("stringData: {a: same, b: same}")).manifests[0].body["data"]
    assert data["a"] != data["b"]


def test_the_copy_that_kubectl_keeps_is_dropped() -> None:
    (found,) = secret_with("stringData: {a: b}")
    meta = {"name": "db", "annotations": {opening.LAST_APPLIED: CANARY, "note": "kept"}}
    filled = fill((msgspec.structs.replace(found, body={**found.body, "metadata": meta}),))
    assert filled.manifests[0].body["metadata"]["annotations"] == {"note": "kept"}


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ("data: {a: 'not base64!'}", "no base64"),
        ("stringData: {port: 5432}", "quote it"),
        ("data: {a: '${secret:vault:main/a#b}'}", "below stringData"),
    ],
)
def test_a_secret_that_cannot_work_is_refused(fields: str, rule: str) -> None:
    with pytest.raises(errors.SecretRefused, match=rule):
        needs_and_fill(secret_with(fields))


def needs_and_fill(found: tuple[objects.Manifest, ...]) -> opening.Filled:
    needs(found, "main")
    return fill(found)


def test_an_empty_value_stays_empty() -> None:
    assert values(fill(secret_with("data: {a: ''}"))) == {"/data/a": b""}


SOPS = """
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: shop}
stringData: {password: "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]"}
sops: {mac: "ENC[AES256_GCM,data:m,iv:y,tag:z,type:str]", lastmodified: "2026-01-01T00:00:00Z"}
"""


def test_documents_of_one_encrypted_file_go_to_sops_together_and_in_order() -> None:
    found = read(SOPS + "---" + SOPS.replace("name: db", "name: cache"))
    (file,) = needs(found).sops
    assert (file.where, file.members) == ("app/secret.yaml", (0, 1))
    again = manifests.read(file.text, file="again")
    assert [manifest.key.name for manifest in again] == ["db", "cache"]
    assert list(again[0].body) == list(found[0].body)


def test_sops_sees_the_file_itself_where_there_is_one() -> None:
    written = SOPS.encode() + b"# a comment\n"
    (file,) = opening.needs(read(SOPS), aliases=frozenset(), files={"app/secret.yaml": written}).sops
    assert file.text == written


def test_encrypted_files_that_were_put_into_one_are_opened_each_by_itself() -> None:
    other = SOPS.replace("name: db", "name: cache").replace("data:m", "data:n")
    text = SOPS + "---" + other + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n"
    found = opening.needs(read(text), aliases=frozenset(), files={"app/secret.yaml": text.encode()}).sops
    assert [(file.members, len(manifests.read(file.text, file="again"))) for file in found] == [((0,), 1), ((1,), 1)]


def test_only_encrypted_leaves_take_decrypted_values() -> None:
    found = read(SOPS.replace("stringData:", "immutable: true\nstringData:"))
    clear = opening.documents(needs(found).sops[0], SOPS.replace("ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]", CANARY).encode())
    stamped = tuple(msgspec.structs.replace(one, body={**one.body, "metadata": {"name": "db", "labels": {"a": "b"}}}) for one in found)
    filled = fill(stamped, opening.Opened(documents=clear))
    body = filled.manifests[0].body
    assert values(filled) == {"/data/password": b64(CANARY).encode()}
    assert (body["immutable"], body["metadata"]["labels"], "sops" in body) == (True, {"a": "b"}, False)


def test_a_decrypted_number_is_refused() -> None:
    found = read(SOPS)
    clear = {0: {"stringData": {"password": 5432}}}
    with pytest.raises(errors.SecretRefused, match=r"no text.*encrypt the file again") as refused:
        fill(found, opening.Opened(documents=clear))
    assert "5432" not in str(refused.value)


def test_an_encrypted_leaf_that_was_not_opened_is_refused() -> None:
    with pytest.raises(errors.SecretRefused, match="missing from what sops decrypted"):
        fill(read(SOPS))


def test_ciphertext_without_sops_metadata_is_refused() -> None:
    with pytest.raises(errors.SecretRefused, match="no `sops` block"):
        needs(config_with('data: {a: "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]"}'))


def test_an_encrypted_name_is_refused() -> None:
    with pytest.raises(errors.SecretRefused, match="--encrypted-regex"):
        needs(read(SOPS.replace("name: db", 'name: "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]"')))


def test_decrypted_text_that_is_no_object_is_refused_without_being_quoted() -> None:
    with pytest.raises(errors.SecretRefused, match="no Kubernetes objects after decryption") as refused:
        opening.documents(needs(read(SOPS)).sops[0], f"- {CANARY}\n".encode())
    assert CANARY not in f"{refused.value!r}{refused.value.__cause__!r}"


def test_nothing_that_can_be_shown_holds_a_value() -> None:
    found = config_with("data: {a: '${secret:vault:main/team/db#password}'}")
    opened = opening.Opened(documents={0: {"data": {"x": CANARY}}}, values={REF: secrets.Secret(CANARY.encode())})
    filled = fill(found, opened)
    assert CANARY not in f"{opened!r}{filled!r}{filled}{msgspec.json.encode(filled.manifests)!r}"


def test_the_module_needs_nothing_of_the_server() -> None:
    assert "adapters" not in pathlib.Path(opening.__file__).read_text("utf-8")
