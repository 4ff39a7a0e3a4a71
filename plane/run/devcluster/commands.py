"""`plane devcluster`: the development cluster's commands."""

import pathlib
import time

import click

from plane import groups
from plane.domain import errors
from plane.run.devcluster import clusters, releases, state, supervisor

PREFIX = click.option(
    "--prefix",
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    help="Folder of all development clusters' state. Default: $XDG_STATE_HOME/gitops-plane/devclusters.",
)
NAME = click.argument("name")
EXITS = {"invalid": 2, "not-found": 4, "conflict": 5}  # as `plane` documents them; else 1


class Refusing(groups.Group):
    """Shows refusals, never a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the sub-command."""
        try:
            return super().invoke(ctx)
        except errors.PlaneError as refused:
            click.echo(f"Error: {refused}", err=True)
            ctx.exit(EXITS.get(refused.code, 1))


@click.group(cls=Refusing, name="devcluster")
def command() -> None:
    """A Kubernetes control plane on this machine, for development. Its nodes are simulated by kwok."""


@command.command()
@NAME
@click.option("--nodes", type=click.IntRange(1, 1000), default=1, show_default=True, help="Number of simulated nodes.")
@click.option("--kube-version", help="Fail unless the API server is of this version, such as 1.36.")
@PREFIX
@click.option("--audit-log", is_flag=True, help="Write audit.log into the cluster's folder: who did what to which object, without bodies.")
@click.option("--foreground", is_flag=True, help="Run until Ctrl-C and stop the cluster, however this process ends.")
def up(name: str, *, nodes: int, kube_version: str | None, prefix: pathlib.Path | None, audit_log: bool, foreground: bool) -> None:
    """Start the cluster NAME; it is ready for pods when this returns."""
    began = time.monotonic()
    prefix = prefix or clusters.default_prefix()
    if kube_version:
        releases.check(kube_version)

    def tell(word: str) -> None:
        click.echo(_welcome(prefix / name, time.monotonic() - began) if word == supervisor.READY else word)

    if foreground:
        clusters.run(name, nodes=nodes, prefix=prefix, audit_log=audit_log, tell=tell)
    else:
        clusters.start(name, nodes=nodes, prefix=prefix, audit_log=audit_log, outlive=True)
        tell(supervisor.READY)


def _welcome(folder: pathlib.Path, seconds: float) -> str:
    server = state.read_spec(folder).server
    return f"{folder.name} is ready after {seconds:.1f} s at {server}\nexport KUBECONFIG={folder / 'kubeconfig'}"


@command.command()
@NAME
@PREFIX
def down(name: str, prefix: pathlib.Path | None) -> None:
    """Stop the cluster NAME and remove its files."""
    state.check_name(name)
    if not clusters.stop(name, prefix=prefix):
        raise errors.NotFound("development cluster", name)
    click.echo(f"{name} is gone")


@command.command(name="list")
@PREFIX
def list_(prefix: pathlib.Path | None) -> None:
    """List clusters with status, API server and folder."""
    prefix = prefix or clusters.default_prefix()
    for name in clusters.names(prefix):
        folder = prefix / name
        now = state.read_state(folder)
        click.echo(f"{name}\t{now.status}\t{state.read_spec(folder).server}\t{folder}")
        if now.status is state.Status.FAILED:
            click.echo(f"  {now.detail}", err=True)


@command.command()
@NAME
@PREFIX
def kubeconfig(name: str, prefix: pathlib.Path | None) -> None:
    """Print the admin kubeconfig of the cluster NAME."""
    state.check_name(name)
    click.echo(clusters.find(name, prefix=prefix).kubeconfig.read_text(), nl=False)
