"""`plane cluster`: join clusters, revoke their agents."""

import os
import pathlib
import shlex

import click

from plane.cli import client, failures, get, kinds, nouns, session, show

cluster = nouns.group(kinds.CLUSTER, "Clusters: each has an agent that asks the plane for work.")
name_argument = nouns.named(kinds.CLUSTER)


@cluster.command("create")
@click.argument("name")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="A label; may be given again.")
@click.option(
    "--grant", "grants", multiple=True, metavar="TENANT=NAMESPACE,...", help="Namespaces (globs) a tenant may use; may be given again."
)
@show.option("table", "json", "yaml", "name")
@session.placed
def create(where: session.Session, *, name: str, labels: tuple[str, ...], grants: tuple[str, ...], output: str) -> None:
    """Make a cluster known; `plane cluster join` then lets its agent in."""
    given = [
        {"tenant": tenant, "namespaces": namespaces.split(",")} for tenant, namespaces in _pairs(grants, "--grant", "TENANT=NAMESPACE,...")
    ]
    spec = {"labels": dict(_pairs(labels, "--label", "KEY=VALUE")), "grants": given}
    get.create(where, kinds.CLUSTER, name, {"spec": spec}, output=output)


@cluster.command("join")
@name_argument
@click.option("--token-file", metavar="FILE", help="Write the join token here (0600) instead of showing it.")
@show.option("table", "json", "yaml")
@session.placed
def join(where: session.Session, *, name: str, token_file: str | None, output: str) -> None:
    """Print the command that lets an agent join as cluster NAME.

    The token works once, for a short time. It goes through the environment or a file, never through a command line that others can read.
    """
    found = where.api.call("POST", f"{kinds.path(kinds.CLUSTER, where, name)}/join").body
    if token_file:
        _keep(pathlib.Path(token_file), found["token"])
        found = {**found, "token": "", "tokenFile": token_file}
    if not show.body(found, output=output):
        click.echo("\n".join(_how(where.context.url, found, token_file)))


@cluster.command("revoke")
@name_argument
@session.placed
def revoke(where: session.Session, *, name: str) -> None:
    """Refuse the cluster's agent from now on; what runs in the cluster keeps running."""
    where.api.call("POST", f"{kinds.path(kinds.CLUSTER, where, name)}/revoke")
    click.echo(f"cluster/{name} revoked; let an agent in again with `plane cluster join {name}`")


def _how(url: str, found: client.Json, token_file: str | None) -> list[str]:
    until = f"# Run this where the cluster can be reached; the token works once, until {found['expiresAt']}."
    if token_file:
        return [until, f"plane agent run --plane {shlex.quote(url)} --join-token-file {shlex.quote(token_file)}"]
    return [until, f"PLANE_JOIN_TOKEN={shlex.quote(str(found['token']))} plane agent run --plane {shlex.quote(url)}"]


def _keep(file: pathlib.Path, token: str) -> None:
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as stream:
            stream.write(f"{token}\n")
    except OSError as error:
        raise failures.WrongUse(
            f"{file}: the join token cannot be written ({error.strerror}); name a file that is not there yet"
        ) from error


def _pairs(words: tuple[str, ...], option: str, form: str) -> list[tuple[str, str]]:
    pairs = [word.partition("=") for word in words]
    for key, _, value in pairs:
        if not key or not value:
            raise failures.WrongUse(f"{option} {key!r} is written {form}")
    return [(key, value) for key, _, value in pairs]
