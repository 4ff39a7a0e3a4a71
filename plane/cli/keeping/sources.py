"""`plane repo`, `plane credential`: where manifests come from, and what opens the door."""

from typing import TextIO, TypedDict, Unpack

import click

from plane.cli import failures, get, kinds, nouns, private, session, show

repo = nouns.group(kinds.REPOSITORY, "Git repositories, over https or ssh, and repositories of an OCI registry (oci://).")
credential = nouns.group(kinds.CREDENTIAL, "Credentials, stored encrypted and never shown again.")


class RepoFlags(TypedDict):
    """What a repository may be given by flags."""

    credential_name: str
    poll_interval: int
    ca: TextIO | None


class CredentialFlags(TypedDict):
    """What a credential may be given by flags, all of it public."""

    username: str
    known_hosts: TextIO | None
    address: str
    mount: str
    prefixes: tuple[str, ...]
    namespace: str
    role_id: str


SECRET = {"git-password": "password", "git-ssh": "privateKey", "sops-age": "identity", "vault": "secretId"}


@repo.command("create")
@click.argument("name")
@click.argument("url")
@click.option("--credential", "credential_name", default="", help="Credential of the project.")
@click.option("--poll-interval", type=click.IntRange(10, 86_400), default=180, show_default=True, help="Seconds between polls.")
@click.option("--ca", type=click.File("r"), help="PEM file of certificate authorities to trust for the host; default: the system's.")
@show.option("table", "json", "yaml", "name")
@session.placed
def create_repo(where: session.Session, *, name: str, url: str, output: str, **given: Unpack[RepoFlags]) -> None:
    """Add the repository at URL: a Git repository, or one of an OCI registry (oci://) for policy sets."""
    ca_pem = given["ca"].read() if given["ca"] else ""
    spec = {"url": url, "credential": given["credential_name"], "pollInterval": given["poll_interval"], "caPem": ca_pem}
    get.create(where, kinds.REPOSITORY, name, {"spec": spec}, output=output)


@repo.command("test")
@nouns.named(kinds.REPOSITORY)
@show.option("table", "json", "yaml")
@session.placed
def test(where: session.Session, *, name: str, output: str) -> None:
    """Test the connection to a repository now: exit 0 if it works, 1 if not."""
    found = where.api.call("POST", f"{kinds.path(kinds.REPOSITORY, where, name)}/test").body
    if not show.body(found, output=output) and found["ok"]:
        click.echo(f"repo/{name} answers: {found['sentence']}")
    if not found["ok"]:
        raise failures.Failed(f"repo/{name}: {found['sentence']}")


@credential.command("create")
@click.argument("name")
@click.option("--kind", "form", type=click.Choice(list(SECRET)), required=True, help="What it is for.")
@click.option("--from-file", "file", metavar="FILE", help="File that holds the secret; default: stdin or a prompt.")
@click.option("--username", default="", help="Git: the user name.")
@click.option("--known-hosts", type=click.File("r"), metavar="FILE", help="git-ssh: a known_hosts file.")
@click.option("--address", default="", metavar="URL", help="vault: its URL.")
@click.option("--mount", default="", help="vault: the KV mount.")
@click.option("--prefix", "prefixes", multiple=True, help="vault: path prefix that the project may read; repeatable.")
@click.option("--namespace", default="", help="vault: its namespace.")
@click.option("--role-id", default="", help="vault: AppRole role id, the secret being its secret id; default: the secret is a token.")
@show.option("table", "json", "yaml", "name")
@session.placed
def create_credential(
    where: session.Session, *, name: str, form: str, file: str | None, output: str, **given: Unpack[CredentialFlags]
) -> None:
    """Store a secret for the project's repositories, SOPS files or Vault paths.

    The secret is read from a file, standard input or a prompt, so that it never stands in the shell's history.
    """
    fields = {
        "username": given["username"],
        "knownHosts": given["known_hosts"].read() if given["known_hosts"] else "",
        "address": given["address"],
        "mount": given["mount"],
        "prefixes": list(given["prefixes"]),
        "namespace": given["namespace"],
        "roleId": given["role_id"],
    }
    key = "token" if form == "vault" and not given["role_id"] else SECRET[form]
    spec = {"kind": form, **{field: value for field, value in fields.items() if value}}
    get.create(where, kinds.CREDENTIAL, name, {"spec": spec, "data": {key: _secret(file, form)}}, output=output)


def _secret(file: str | None, form: str) -> str:
    found = private.read(file, prompt=f"The secret of a {form} credential")
    return found if form == "git-ssh" else found.strip()  # a private key ends with a newline, or ssh refuses it
