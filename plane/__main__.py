"""`plane NOUN VERB`. Names the sub-commands and imports only the one asked for: help is fast, and an agent's install needs no server."""

import importlib

import click

from plane.domain import errors

# name → where the click command is, and what `plane --help` says about it
COMMANDS = {
    "user": ("plane.cli.keeping.people:user", "People and services, and their roles."),
    "token": ("plane.cli.keeping.people:token", "What people and services log in with."),
    "task": ("plane.cli.running.task:task", "The orders that agents were given."),
    "session": ("plane.cli.keeping.sessions:sessions", "Who is logged in in a browser."),
    "me": ("plane.cli.keeping.people:me", "Who you are and what you may."),
    "auth": ("plane.cli.keeping.auth:auth", "Who may do what, and why; break-glass roles."),
    "app": ("plane.cli.running.app:app", "A path in Git, kept the same in a cluster."),
    "agent": ("plane.run.agent:command", "The program in each cluster: applies releases, heals drift, reports."),
    "apply": ("plane.cli.apply:apply", "Make the plane's documents be what files say."),
    "at": ("plane.cli.auditing.at:at", "What was so at a time: apps, clusters, projects."),
    "audit": ("plane.cli.auditing.audit:audit", "The record: list it, export it with its proof."),
    "cluster": ("plane.cli.keeping.cluster:cluster", "Clusters: join them, revoke their agents."),
    "completion": ("plane.cli.completion:completion", "Completion for your shell."),
    "context": ("plane.cli.context:context", "Which plane, tenant and project to work in."),
    "credential": ("plane.cli.keeping.sources:credential", "Secrets that open repositories, SOPS files and Vault."),
    "delete": ("plane.cli.get:delete", "Delete documents of any kind."),
    "diff": ("plane.cli.apply:diff", "What apply would change: exit 0 nothing, 1 something."),
    "edit": ("plane.cli.get:edit", "Change a document in your editor."),
    "get": ("plane.cli.get:get", "Show documents of any kind."),
    "resourcerule": ("plane.cli.keeping.resourcerule:resourcerule", "What holds for resources of every tenant's apps."),
    "healthcheck": ("plane.cli.keeping.healthcheck:healthcheck", "Scripts that say how objects of a kind are."),
    "identityprovider": ("plane.cli.keeping.identityprovider:identityprovider", "Where people log in."),
    "import": ("plane.cli.importing.importer:group", "Another tool's documents as the plane's own."),
    "login": ("plane.cli.login:login", "Log in to a plane and keep it as a context."),
    "policy": ("plane.cli.keeping.policy:policy", "Rules in Rego that are asked before anything is dispatched."),
    "policybinding": ("plane.cli.keeping.policybinding:policybinding", "Where policies hold, and how strictly."),
    "project": ("plane.cli.keeping.places:project", "A tenant's apps that share rules."),
    "repo": ("plane.cli.keeping.sources:repo", "Git repositories."),
    "role": ("plane.cli.keeping.roles:role", "A tenant's own roles: permissions under a name."),
    "rolebinding": ("plane.cli.keeping.roles:rolebinding", "Roles given to people, groups and services."),
    "sink": ("plane.cli.keeping.sink:sink", "Where the audit log is sent."),
    "tenant": ("plane.cli.keeping.places:tenant", "People and projects that see nothing of other tenants."),
    "try": ("plane.cli.trying.trial:group", "One step of the flow on local files; contacts nothing."),
    "workloadtrust": ("plane.cli.keeping.workloadtrust:workloadtrust", "CI jobs that log in without a secret."),
    "waiver": ("plane.cli.keeping.waiver:waiver", "Rules that do not count for some objects, for a time."),
    "version": ("plane.cli.version:version", "The version of this program."),
    "server": ("plane.run.server:command", "Serve the API."),
    "worker": ("plane.run.worker:command", "Resolve, render, judge and dispatch."),
    "up": ("plane.run.up:command", "The whole plane on this machine."),
    "db": ("plane.run.db:command", "Bring the database to this version."),
    "demo": ("plane.run.demo.command:command", "The whole flow on real parts, told line by line."),
    "devcluster": ("plane.run.devcluster.commands:command", "A real Kubernetes control plane on this machine, for demo and tests."),
}


class Lazy(click.Group):
    """A group that finds its commands in COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's own signature
        """Sorted names."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 click's own signature
        """Import it."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        found: click.Command = getattr(importlib.import_module(module), attribute)
        return found

    def invoke(self, ctx: click.Context) -> object:
        """Refusals are one sentence here too."""
        try:
            return super().invoke(ctx)
        except errors.PlaneError as e:
            raise click.ClickException(str(e)) from e

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and what they do, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.group(cls=Lazy, name="plane", context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Many Kubernetes clusters and many tenants, run from Git."""


if __name__ == "__main__":
    main()
