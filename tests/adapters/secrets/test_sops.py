"""SOPS documents are opened by sops itself, with the project's key only and the MAC checked."""

import base64
import contextlib
import pathlib
import traceback
from collections.abc import Iterator

import msgspec
import pytest
import yaml

from plane import config, ports
from plane.adapters.secrets import sops
from plane.domain import errors
from plane.domain.reading import manifests
from plane.domain.rendering import opening, secrets
from tests.support import age

CANARY = "canary-7f3a-p4ssw0rd"
KEY = age.new()
OTHER = age.new()
CLEAR = f"""# kept by the shop team
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: shop
  labels: {{replicas: "0644", state: "yes"}}
type: Opaque
immutable: true
stringData:
  # the password
  password: {CANARY}
  empty: ""
  pem: |
    -----BEGIN X-----
    ä ö ü "quoted" ' \\ = < : 1_000
    -----END X-----
"""


@pytest.fixture(scope="module")
def program() -> sops.Sops:
    return sops.Sops(config.program("sops"))


@pytest.fixture(scope="module")
def encrypted() -> bytes:
    return age.encrypt(CLEAR, KEY.recipient)


def keys(*pairs: age.Key) -> ports.SopsKeys:
    return ports.SopsKeys(secrets.Secret("\n".join(["# shop", *(pair.identity for pair in pairs), ""]).encode()))


def open_(program: sops.Sops, text: bytes, *pairs: age.Key) -> bytes:
    return program.open(text, keys(*(pairs or (KEY,))), where="app/secret.yaml")


def refusal(program: sops.Sops, text: bytes, *pairs: age.Key) -> str:
    with pytest.raises(errors.SecretRefused) as refused:
        open_(program, text, *pairs)
    shown = "".join(traceback.format_exception(refused.value)) + repr(refused.value) + str(refused.value.public())
    assert CANARY not in shown
    assert KEY.identity not in shown
    assert refused.value.where == "app/secret.yaml"
    return str(refused.value)


def test_a_document_is_opened(program: sops.Sops, encrypted: bytes) -> None:
    assert CANARY.encode() not in encrypted
    assert yaml.safe_load(open_(program, encrypted)) == yaml.safe_load(CLEAR)


def test_a_file_of_several_documents_is_opened(program: sops.Sops) -> None:
    text = age.encrypt(f"{CLEAR}---\n{CLEAR.replace('name: db', 'name: cache')}", KEY.recipient)
    assert [one["metadata"]["name"] for one in yaml.safe_load_all(open_(program, text))] == ["db", "cache"]


def test_any_of_several_keys_and_recipients_will_do(program: sops.Sops) -> None:
    text = age.encrypt(CLEAR, age.new().recipient, OTHER.recipient)
    assert CANARY.encode() in open_(program, text, KEY, OTHER)


def test_what_was_read_and_put_together_again_still_has_its_mac(program: sops.Sops, encrypted: bytes) -> None:
    found = manifests.read(encrypted, file="app/secret.yaml")
    (file,) = opening.needs(found, aliases=frozenset()).sops
    clear = opening.documents(file, open_(program, file.text))
    filled = opening.fill(found, opening.Opened(documents=clear), name=lambda place, value: secrets.fingerprint(b"k", place, value))
    values = {place.pointer: value for place, value in filled.secrets}
    restored = opening.restore(filled.manifests[0].body, {pointer: value.reveal() for pointer, value in values.items()})
    wanted = yaml.safe_load(CLEAR)
    assert {name: base64.b64decode(text).decode() for name, text in restored["data"].items()} == wanted["stringData"]
    assert CANARY.encode() not in msgspec.json.encode([manifest.body for manifest in filled.manifests])


def test_several_documents_put_together_again_still_have_their_mac(program: sops.Sops) -> None:
    text = age.encrypt(f"{CLEAR}---\n{CLEAR.replace('name: db', 'name: cache')}", KEY.recipient)
    (file,) = opening.needs(manifests.read(text, file="app/secret.yaml"), aliases=frozenset()).sops
    clear = opening.documents(file, open_(program, file.text))
    assert [clear[index]["metadata"]["name"] for index in file.members] == ["db", "cache"]


def test_without_the_key_it_stays_closed(program: sops.Sops, encrypted: bytes) -> None:
    assert "none of the project's age keys" in refusal(program, encrypted, OTHER)


def test_a_changed_clear_field_breaks_the_mac(program: sops.Sops, encrypted: bytes) -> None:
    assert "MAC does not match" in refusal(program, encrypted.replace(b"type: Opaque", b"type: Opaque2"))


def test_a_missing_mac_is_refused(program: sops.Sops, encrypted: bytes) -> None:
    lines = [line for line in encrypted.splitlines(keepends=True) if not line.strip().startswith(b"mac:")]
    assert "no MAC" in refusal(program, b"".join(lines))


def test_a_value_moved_to_another_field_is_refused(program: sops.Sops, encrypted: bytes) -> None:
    assert "sops" in refusal(program, encrypted.replace(b"password:", b"passwd:"))


@pytest.mark.parametrize(("name", "word"), sops.FOREIGN.items(), ids=list(sops.FOREIGN))
def test_recipients_that_would_make_sops_call_somebody_are_refused(program: sops.Sops, encrypted: bytes, name: str, word: str) -> None:
    document = yaml.safe_load(encrypted)
    for place in (document["sops"], document["sops"].setdefault("key_groups", [{}])[0]):
        place[name] = [{"vault_address": "http://127.0.0.1:1", "enc": "x"}]
        assert f"recipients other than age ({word})" in refusal(program, yaml.safe_dump(document).encode())
        del place[name]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"a: [", "no valid YAML"),
        (b"a: 1\n", "no `sops` block"),
        (b"- 1\n", "no `sops` block"),
        (b"x" * (sops.MAX_BYTES + 1), "larger than 5 MiB"),
        (b"a: 1\nsops: {mac: x, age: []}\n", "sops could not decrypt|none of the project"),
        (b"[" * 100_000, "no valid YAML"),
    ],
    ids=["broken", "plain", "list", "large", "no recipient", "deep"],
)
def test_what_is_no_sops_document_is_refused(program: sops.Sops, text: bytes, rule: str) -> None:
    with pytest.raises(errors.SecretRefused, match=rule):
        open_(program, text)


@pytest.mark.parametrize("identity", ["", "AGE-PLUGIN-EVIL-1QQQ", "age1notprivate", "ssh-ed25519 AAAA"])
def test_only_plain_age_identities_are_handed_to_sops(program: sops.Sops, encrypted: bytes, identity: str) -> None:
    with pytest.raises(errors.SecretRefused, match="no age identity") as refused:
        program.open(encrypted, ports.SopsKeys(secrets.Secret(identity.encode())), where="app/secret.yaml")
    assert not identity or identity not in str(refused.value)


@contextlib.contextmanager
def spying(folder: pathlib.Path, real: str) -> Iterator[tuple[str, pathlib.Path]]:
    """A program that writes down how it was started and becomes sops."""
    log, script = folder / "seen", folder / "sops"
    script.write_text(f'#!/bin/sh\n/bin/tr "\\0" "\\n" < /proc/self/environ > {log}\n/bin/echo "$@" >> {log}\nexec {real} "$@"\n')
    script.chmod(0o755)
    yield str(script), log


def test_sops_gets_no_environment_and_no_key_in_it(tmp_path: pathlib.Path, encrypted: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY_CMD", f"/bin/touch {tmp_path}/executed")
    monkeypatch.setenv("SOPS_AGE_KEY", OTHER.identity)
    with spying(tmp_path, config.program("sops")) as (script, log):
        open_(sops.Sops(script), encrypted)
        seen = log.read_text()
    assert not (tmp_path / "executed").exists()
    assert "AGE-SECRET-KEY" not in seen
    assert "SOPS_AGE_KEY_CMD" not in seen


def test_no_key_file_stays_open(program: sops.Sops, encrypted: bytes) -> None:
    before = set(pathlib.Path("/proc/self/fd").iterdir())
    open_(program, encrypted)
    assert set(pathlib.Path("/proc/self/fd").iterdir()) <= before


def test_a_program_that_hangs_is_given_up(tmp_path: pathlib.Path, encrypted: bytes) -> None:
    script = tmp_path / "sops"
    script.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    script.chmod(0o755)
    with pytest.raises(errors.BackendDown, match=r"app/secret.yaml: no answer within 0.2 s"):
        sops.Sops(str(script), timeout_s=0.2).open(encrypted, keys(KEY), where="app/secret.yaml")


def test_a_program_that_is_missing_is_named(encrypted: bytes) -> None:
    with pytest.raises(errors.BackendDown, match="sops: the program cannot be started"):
        sops.Sops("/nonexistent/sops").open(encrypted, keys(KEY), where="app/secret.yaml")
