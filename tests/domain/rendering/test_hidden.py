"""What a renderer sees of an encrypted file, and how the values find their way back."""

import base64
import re

import pytest

from plane.domain import errors, objects
from plane.domain.reading import manifests
from plane.domain.rendering import hidden, opening, secrets

ENC = "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]"
QUOTED = f'"{ENC}"'
SOPS = "sops: {mac: m}\n"
BLOB = "ab12cd34ef56aa00"


def file(path: str, text: str) -> hidden.File:
    return hidden.File(path, BLOB, text.encode())


def opened(made: hidden.Hidden, text: str) -> str:
    """The text with the values in place of their references."""
    by_reference = {f"${{secret:vault:{ref.alias}/{ref.path}#{ref.key}@{ref.version}}}": value for ref, value in made.values.items()}
    for reference, value in by_reference.items():
        text = text.replace(reference, value.reveal().decode())
    return text


@pytest.mark.parametrize(
    ("path", "text", "form"),
    [
        ("values.yaml", f"password: {ENC}\n{SOPS}", "yaml"),
        ("values.json", f'{{"password": "{ENC}", "sops": {{"mac": "m"}}}}', "yaml"),
        ("secret.env", f"PASSWORD={ENC}\nsops_mac={ENC}\n", "dotenv"),
        ("tls.key", f'{{"data": "{ENC}", "sops": {{"mac": "m"}}}}', "binary"),
        ("values.yaml", "password: sops\n", None),
        ("values.yaml", f"password: {ENC}\n", None),
        ("templates/a.yaml", "{{ if .Values.sops }}\na: " + ENC + "\n{{ end }}\n", None),
        ("secret.env", f"PASSWORD={ENC}\nSOPS=1\n", None),
    ],
)
def test_an_encrypted_file_is_known_by_its_metadata(path: str, text: str, form: str | None) -> None:
    assert hidden.form(file(path, text)) == form


def test_values_are_hidden_one_by_one_and_the_rest_stays() -> None:
    made = hidden.hide(
        file("values.yaml", f"user: shop\ndb: {{password: {QUOTED}}}\n{SOPS}"), b"user: shop\ndb: {password: s3cret}\n", whole=False
    )
    assert b"s3cret" not in made.text
    assert b"sops:" not in made.text
    assert opened(made, made.text.decode()) == '{"db":{"password":"s3cret"},"user":"shop"}\n'


def test_data_of_a_secret_stays_base64_for_the_renderer() -> None:
    body = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  password: %s\n"
    made = hidden.hide(file("secret.yaml", body % ENC + SOPS), (body % base64.b64encode(b"s3cret").decode()).encode(), whole=True)
    [manifest] = manifests.read(made.text, file="secret.yaml")
    assert opened(made, base64.b64decode(manifest.body["data"]["password"]).decode()) == "s3cret"


@pytest.mark.parametrize(
    ("path", "text", "clear"),
    [("app.yaml", f"password: {ENC}\n{SOPS}", "password: s3cret\n"), ("tls.key", f'{{"data": "{ENC}", "sops": {{"mac": "m"}}}}', "s3cret")],
)
def test_what_a_generator_takes_in_is_one_value(path: str, text: str, clear: str) -> None:
    made = hidden.hide(file(path, text), clear.encode(), whole=True)
    assert [value.reveal().decode() for value in made.values.values()] == [clear]
    assert opened(made, made.text.decode()) == clear


def test_lines_of_an_environment_file_are_hidden_one_by_one() -> None:
    made = hidden.hide(file("a.env", f"# words\nA={ENC}\nB={ENC}\nsops_mac={ENC}\n"), b"# words\nA=one\nB=x=y\n", whole=True)
    assert (b"one" in made.text, opened(made, made.text.decode())) == (False, "# words\nA=one\nB=x=y\n")


@pytest.mark.parametrize(
    ("clear", "sentence"),
    [("port: 5432\n", "/port is no text"), ("other: x\n", "/port is no text"), ("a: 1\n---\nb: 1\n", "another number of documents")],
)
def test_what_cannot_be_hidden_is_refused_without_its_value(clear: str, sentence: str) -> None:
    with pytest.raises(errors.SecretRefused, match=sentence) as refused:
        hidden.hide(file("values.yaml", f"port: {ENC}\n{SOPS}"), clear.encode(), whole=False)
    assert "5432" not in str(refused.value)


def secret(**data: str) -> objects.Manifest:
    """A Secret as a chart renders it."""
    encoded = "\n".join(f"  {name}: {base64.b64encode(value.encode()).decode()}" for name, value in data.items())
    [made] = manifests.read(f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata:\n{encoded}\n".encode(), file="a.yaml")
    return made


def filled(manifest: objects.Manifest, values: hidden.Values) -> dict[str, str]:
    """The data that the agent is given."""
    [unfolded], known = hidden.unfold((manifest,), values)
    needed = opening.needs((unfolded,), aliases=frozenset({hidden.ALIAS}))
    assert not needed.volatile()
    result = opening.fill((unfolded,), opening.Opened(values=known), name=lambda *_: "mark")
    return {place.pointer.rpartition("/")[2]: base64.b64decode(value.reveal()).decode() for place, value in result.secrets}


VALUES = hidden.hide(file("values.yaml", f"password: {ENC}\n{SOPS}"), b"password: s3cret\n", whole=False)
[TOKEN] = re.findall(r"\$\{[^}]*\}", VALUES.text.decode())


def test_a_reference_is_opened_wherever_a_template_puts_it_whole() -> None:
    auth = base64.b64encode(f"shop:{TOKEN}".encode()).decode()
    made = secret(plain=TOKEN, printed=f"postgres://shop:{TOKEN}@db", docker=f'{{"auths": {{"r.example": {{"auth": "{auth}"}}}}}}')
    assert filled(made, dict(VALUES.values)) == {
        "plain": "s3cret",
        "printed": "postgres://shop:s3cret@db",
        "docker": f'{{"auths": {{"r.example": {{"auth": "{base64.b64encode(b"shop:s3cret").decode()}"}}}}}}',
    }


@pytest.mark.parametrize(
    "changed",
    [TOKEN.upper(), TOKEN[:-3], TOKEN.replace("$", "%24").replace("/", "%2F"), base64.b64encode(TOKEN.upper().encode()).decode()],
    ids=["upper", "trunc", "urlquery", "upper in base64"],
)
def test_a_reference_that_a_template_changes_is_refused(changed: str) -> None:
    with pytest.raises(errors.SecretRefused, match=r"/data/password of Secret a: a template changes a secret value of a SOPS file"):
        hidden.unfold((secret(password=changed),), dict(VALUES.values))


def test_a_reference_written_by_hand_opens_nothing() -> None:
    made = secret(password="${secret:vault:-sops/ab12cd34ef56/7#value@1}")
    with pytest.raises(errors.SecretRefused, match="which was not read"):
        filled(made, dict(VALUES.values))


def test_values_are_not_shown() -> None:
    assert repr(VALUES) == "Hidden(1 values)"
    assert all(isinstance(value, secrets.Secret) for value in VALUES.values.values())
