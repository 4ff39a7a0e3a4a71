"""What a command stands on: the context, chosen at first use, its tenant and project, and a connection opened at first use."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import click
import msgspec
from click import core

from plane.cli import client, contexts, failures

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]
NO_TENANT = "-"
_FLAG = core.ParameterSource.COMMANDLINE


class Session:
    """One run of one command."""

    def __init__(
        self, context: Callable[[], contexts.Context], api: Callable[[], client.Client], *, asked: tuple[str, str] = ("", "")
    ) -> None:
        self._context = context
        self.asked = asked  # tenant and project given for this run, not merely kept in the context
        self.named = ""  # the project that a document names itself
        self.flagged = ""  # the project that -P names, rather than the environment
        self.owner = ""  # the tenant that -T, or a document, names
        self._api = api

    @property
    def context(self) -> contexts.Context:
        """The context in use; what needs none, as a check of a file, never asks for it."""
        return self._context()

    @property
    def api(self) -> client.Client:
        """The connection, the same for the whole run."""
        return self._api()

    def tenant(self) -> str:
        """The tenant in use."""
        if not self.context.tenant:
            raise failures.WrongUse(
                "no tenant given; add `-T TENANT`, set PLANE_TENANT, or keep one with `plane context set --tenant TENANT`"
            )
        return self.context.tenant

    def project(self) -> str:
        """The project in use."""
        if not self.context.project:
            raise failures.WrongUse(
                "no project given; add `-P PROJECT`, set PLANE_PROJECT, or keep one with `plane context set --project PROJECT`"
            )
        return self.context.project

    def within(self, tenant: str, project: str) -> "Session":
        """The same connection in another place; empty: as here."""
        here = within(self.context, tenant=tenant, project=project)
        there = Session(lambda: here, self._api)
        there.named, there.owner = project, tenant
        return there


def placed(function: Command) -> Command:
    """Give a command --context, --tenant and --project, and a Session as its first argument."""

    @click.option("-P", "--project", "project", envvar="PLANE_PROJECT", default="", help="Project to work in.")
    @click.option("-T", "--tenant", "tenant", envvar="PLANE_TENANT", default="", help="Tenant to work in; - for the platform.")
    @click.option("--context", "context", default="", metavar="NAME", help="Context to use instead of the current one.")
    @functools.wraps(function)
    def command(*, context: str, tenant: str, project: str, **arguments: Any) -> Any:  # noqa: ANN401 a command's own
        chosen = functools.cache(lambda: contexts.choose(contexts.load(contexts.path()), name=context))
        with contextlib.ExitStack() as stack:
            opened = functools.cache(lambda: connect(chosen(), stack))
            place = functools.cache(lambda: within(chosen(), tenant=tenant, project=project))
            where = Session(place, opened, asked=(tenant, project))
            given = click.get_current_context().get_parameter_source
            where.flagged = project if given("project") is _FLAG else ""
            where.owner = tenant if given("tenant") is _FLAG and tenant != NO_TENANT else ""
            try:
                return function(where, **arguments)
            except failures.Refused as refusal:
                if refusal.code == failures.NOT_FOUND:
                    refusal.details += (_looked(place()),)
                raise

    return command


def _looked(context: contexts.Context) -> str:
    """Where something was not found: most often one is in the wrong context."""
    place = ", ".join(f"{level} {name}" for level, name in (("tenant", context.tenant), ("project", context.project)) if name)
    return f"looked in {place or 'the platform'}, at {context.url} (context {context.name!r})"


def within(context: contexts.Context, *, tenant: str, project: str) -> contexts.Context:
    """The context with tenant and project replaced where given; another tenant than the context's leaves its project behind."""
    if tenant == NO_TENANT:
        return msgspec.structs.replace(context, tenant="", project="")
    moved = bool(tenant) and tenant != context.tenant
    kept = "" if moved else context.project
    return msgspec.structs.replace(context, tenant=tenant or context.tenant, project=project or kept)


def connect(context: contexts.Context, stack: contextlib.ExitStack) -> client.Client:
    """A connection that closes with the stack."""
    if not context.token:
        raise failures.Failed("no token for this plane; run `plane login URL`, or set PLANE_TOKEN", code=failures.NOT_ALLOWED)
    return stack.enter_context(client.Client(context))
