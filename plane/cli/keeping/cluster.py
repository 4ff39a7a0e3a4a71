"""`plane cluster`: join clusters, revoke their agents."""

import pathlib
import shlex

import click

from plane.cli import client, contexts, failures, get, kinds, nouns, private, session, show
from plane.domain.reading import yaml_text

AGENTS = "gitops-plane"  # the namespace that the chart goes to

cluster = nouns.group(kinds.CLUSTER, "Clusters, each with an agent that asks the plane for work. With -T, a tenant's own clusters.")
name_argument = nouns.named(kinds.CLUSTER)


@cluster.command("create")
@click.argument("name")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="A label; repeatable.")
@click.option(
    "--grant", "grants", multiple=True, metavar="TENANT=NAMESPACE,...", help="Namespaces (globs) that a tenant may use; repeatable."
)
@click.option(
    "--grant-where",
    "selectors",
    multiple=True,
    nargs=2,
    metavar="SELECTOR NAMESPACE,...",
    help="Namespaces for every tenant with these labels; each glob must contain {tenant}. Repeatable.",
)
@show.option("table", "json", "yaml", "name")
@session.placed
def create(
    where: session.Session,
    *,
    name: str,
    labels: tuple[str, ...],
    grants: tuple[str, ...],
    selectors: tuple[tuple[str, str], ...],
    output: str,
) -> None:
    """Register a cluster; `plane cluster join` then lets its agent in. With -T TENANT it belongs to that tenant alone."""
    given = [
        {"tenant": tenant, "namespaces": namespaces.split(",")} for tenant, namespaces in _pairs(grants, "--grant", "TENANT=NAMESPACE,...")
    ]
    given += [{"selector": selector, "namespaces": namespaces.split(",")} for selector, namespaces in selectors]
    spec = {"labels": dict(_pairs(labels, "--label", "KEY=VALUE")), "grants": given}
    get.create(where, kinds.CLUSTER, name, {"spec": spec}, output=output)


@cluster.command("join")
@name_argument
@click.option("--token-file", metavar="FILE", help="Write the join token to this file (0600) instead of printing it.")
@click.option(
    "--via", type=click.Choice(["program", "helm", "kubectl"]), default="program", show_default=True, help="How to run the agent."
)
@show.option("table", "json", "yaml")
@session.placed
def join(where: session.Session, *, name: str, token_file: str | None, via: str, output: str) -> None:
    """Print the command that installs or starts the agent of cluster NAME, with a one-time join token.

    The token works once, for a short time. It goes through the environment, a file or a pipe, never through a command line that others
    can read.
    """
    private.check_new(token_file)
    found = where.api.call("POST", f"{kinds.path(kinds.CLUSTER, where, name)}/join").body
    if token_file:
        private.keep(pathlib.Path(token_file), found["token"])
        found = {**found, "token": "", "tokenFile": token_file}
    if not show.body(found, output=output):
        lines = _how(where.context, found, token_file) if via == "program" else _installed(where.context, found, token_file, via)
        click.echo("\n".join(lines))


@cluster.command("revoke")
@name_argument
@session.placed
def revoke(where: session.Session, *, name: str) -> None:
    """Revoke the cluster's agent; what runs in the cluster keeps running."""
    where.api.call("POST", f"{kinds.path(kinds.CLUSTER, where, name)}/revoke")
    click.echo(f"cluster/{name} revoked; let an agent in again with `plane cluster join {name}`")


@cluster.command("rotate")
@name_argument
@session.placed
def rotate(where: session.Session, *, name: str) -> None:
    """Have the cluster's agent replace its keys; the old ones end once the plane has the new ones."""
    where.api.call("POST", f"{kinds.path(kinds.CLUSTER, where, name)}/rotate")
    click.echo(f"cluster/{name}: its agent was asked for new keys; `plane get cluster {name} -o yaml` shows whether it has them")


def _how(context: contexts.Context, found: client.Json, token_file: str | None) -> list[str]:
    ca = f" --plane-ca {shlex.quote(context.ca)}" if context.ca else ""
    run = f"plane agent run --plane {shlex.quote(context.url)}{ca}"
    note = (
        f"# Run this where the cluster can be reached (--kubeconfig FILE outside of it); the token works once, until {found['expiresAt']}."
    )
    if token_file:
        return [note, f"{run} --join-token-file {shlex.quote(token_file)}"]
    return [note, f"PLANE_JOIN_TOKEN={shlex.quote(str(found['token']))} {run}"]


def _installed(context: contexts.Context, found: client.Json, token_file: str | None, via: str) -> list[str]:
    """With the chart. The values go through a pipe, which the shell itself fills, so that no process is called with the token."""
    values: client.Json = {"plane": {"url": context.url, **_ca(context)}, **({} if token_file else {"join": {"token": found["token"]}})}
    told = f"--namespace {AGENTS} --values -" + (f" --set-file join.token={shlex.quote(token_file)}" if token_file else "")
    given = f"printf %s {shlex.quote(yaml_text.dump(values))}"
    note = (
        "# Run this in the folder of charts/, with kubectl's context at the cluster; add --set image.repository=… for your own registry. "
        f"The token works once, until {found['expiresAt']}."
    )
    if via == "helm":
        return [note, f"{given} | helm upgrade --install agent charts/plane-agent --create-namespace {told}"]
    made = f"kubectl create namespace {AGENTS} --dry-run=client --output yaml | kubectl apply --filename -"
    return [note, f"{made} && {given} | helm template agent charts/plane-agent {told} | kubectl apply --namespace {AGENTS} --filename -"]


def _ca(context: contexts.Context) -> client.Json:
    return {"ca": pathlib.Path(context.ca).read_text()} if context.ca else {}


def _pairs(words: tuple[str, ...], option: str, form: str) -> list[tuple[str, str]]:
    pairs = [word.partition("=") for word in words]
    for key, _, value in pairs:
        if not key or not value:
            raise failures.WrongUse(f"{option} {key!r} is written {form}")
    return [(key, value) for key, _, value in pairs]
