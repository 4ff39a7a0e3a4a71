"""`plane NOUN VERB`. Names the sub-commands; `groups.Lazy` imports only the one asked for."""

import click

from plane import groups
from plane.domain import errors

SECTIONS = {
    "Apps": {
        "app": ("plane.cli.running.app:app", "Sync, diff, roll back and inspect apps."),
        "project": ("plane.cli.keeping.places:project", "Projects: what a group of apps may use."),
        "repo": ("plane.cli.keeping.sources:repo", "Git repositories."),
        "credential": ("plane.cli.keeping.sources:credential", "Secrets for Git, SOPS and Vault."),
        "task": ("plane.cli.running.task:task", "Work given to agents, and its results."),
    },
    "Documents of any kind": {
        "get": ("plane.cli.get:get", "List or show documents."),
        "apply": ("plane.cli.apply:apply", "Create or update documents from files."),
        "diff": ("plane.cli.apply:diff", "Show what apply would change; exit 1 if anything."),
        "edit": ("plane.cli.get:edit", "Edit a document in your editor."),
        "delete": ("plane.cli.get:delete", "Delete documents."),
    },
    "Policy and rules": {
        "policy": ("plane.cli.keeping.policy:policy", "Policy sets: write, test, preview, explain, replay."),
        "policybinding": ("plane.cli.keeping.policybinding:policybinding", "Where policy sets apply, and how strictly."),
        "waiver": ("plane.cli.keeping.waiver:waiver", "Time-limited exceptions to policy rules."),
        "healthcheck": ("plane.cli.keeping.healthcheck:healthcheck", "Custom health checks and resource actions."),
        "resourcerule": ("plane.cli.keeping.resourcerule:resourcerule", "Platform-wide ignored differences and excluded kinds."),
    },
    "Clusters and tenants": {
        "cluster": ("plane.cli.keeping.cluster:cluster", "Clusters: join them, rotate or revoke their agents."),
        "tenant": ("plane.cli.keeping.places:tenant", "Tenants and their quotas."),
    },
    "People and access": {
        "auth": ("plane.cli.keeping.auth:auth", "Check permissions, break-glass roles, second approvals."),
        "me": ("plane.cli.keeping.people:me", "Who you are and which roles you hold."),
        "user": ("plane.cli.keeping.people:user", "Users and service accounts."),
        "token": ("plane.cli.keeping.people:token", "API tokens."),
        "session": ("plane.cli.keeping.sessions:sessions", "Browser sessions."),
        "role": ("plane.cli.keeping.roles:role", "A tenant's own roles."),
        "rolebinding": ("plane.cli.keeping.roles:rolebinding", "Roles given to users, groups and services."),
        "identityprovider": ("plane.cli.keeping.identityprovider:identityprovider", "OpenID Connect providers for logging in."),
        "workloadtrust": ("plane.cli.keeping.workloadtrust:workloadtrust", "Trust rules for CI jobs that log in without a secret."),
    },
    "Audit": {
        "audit": ("plane.cli.auditing.audit:audit", "Search, export and verify the audit log."),
        "at": ("plane.cli.auditing.at:at", "What ran at a moment in the past."),
        "sink": ("plane.cli.keeping.sink:sink", "Where the audit log is sent."),
    },
    "Offline": {
        "try": ("plane.cli.trying.trial:group", "Run one step of the flow on local files."),
        "import": ("plane.cli.importing.importer:group", "Convert another tool's settings to documents."),
    },
    "This program": {
        "login": ("plane.cli.login:login", "Log in to a plane and save it as a context."),
        "context": ("plane.cli.context:context", "Choose the plane, tenant and project to work in."),
        "completion": ("plane.cli.completion:completion", "Print a shell completion script."),
        "version": ("plane.cli.version:version", "Print the version."),
    },
    "Running a plane": {
        "up": ("plane.run.up:command", "Run a whole plane on this machine."),
        "server": ("plane.run.server:command", "Serve the API."),
        "worker": ("plane.run.worker:command", "Resolve, render, judge and dispatch releases."),
        "agent": ("plane.run.agent:command", "The program that runs in each cluster."),
        "db": ("plane.run.db:command", "Migrate the database, first admin, key rotation."),
        "devcluster": ("plane.run.devcluster.commands:command", "Kubernetes on this machine, for development."),
        "demo": ("plane.run.demo.command:command", "Play the whole flow on this machine."),
    },
}


class Program(groups.Lazy):
    """The root of the commands."""

    def invoke(self, ctx: click.Context) -> object:
        """A refusal is one sentence, whichever program makes it."""
        try:
            return super().invoke(ctx)
        except errors.PlaneError as e:
            raise click.ClickException(str(e)) from e


def _version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:  # noqa: FBT001 click's own signature
    """As `plane version`: asking the package for it takes 30 ms, which no other command pays."""
    if not asked or ctx.resilient_parsing:
        return
    if command := main.get_command(ctx, "version"):
        ctx.invoke(command, output="table")
    ctx.exit()


@click.group(cls=Program, name="plane", sections=SECTIONS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version and exit.")
def main() -> None:
    """GitOps for many Kubernetes clusters and many tenants."""


if __name__ == "__main__":
    main()
