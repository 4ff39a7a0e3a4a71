"""`plane login`: prove a token and keep it in a context."""

import pathlib
import urllib.parse
from typing import Any

import click
import msgspec

from plane.cli import client, contexts, failures, kinds, private, sso
from plane.domain.reading import addresses

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@click.command()
@click.argument("url")
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False),
    metavar="FILE|-",
    help="File that holds the token, or - for stdin; default: a prompt.",
)
@click.option("--ca", default="", metavar="FILE", help="PEM file of certificate authorities to trust for the plane; default: the system's.")
@click.option("--context", "name", default="", help="Name of the context; default: the host name.")
@click.option("-T", "--tenant", default="", help="Tenant to work in.")
@click.option("-P", "--project", default="", help="Project to work in.")
@click.option("--provider", default="", metavar="NAME", help="Log in with a browser at this identity provider.")
@click.option("--ways", is_flag=True, help="Only list the ways to log in; with -T, also the tenant's own.")
@click.option("--local", default="", metavar="NAME", help="Log in as this local admin; the password comes from a prompt or --token-file.")
@click.option("--device", is_flag=True, help="With --provider: show a code to enter in any browser.")
@click.option("--rule", default="", metavar="NAME", help="Exchange a CI job's own token, in --token-file, under this trust rule.")
def login(*, url: str, token_file: str | None, ca: str, name: str, tenant: str, project: str, **way: Any) -> None:  # noqa: ANN401 - as `_proof` takes it
    """Log in to the plane at URL and make it the current context.

    The token is never taken from the command line, where others could read it.
    """
    address = _address(url)
    nobody = contexts.Context(
        name=name or urllib.parse.urlsplit(url).hostname or "",
        url=address,
        ca=str(pathlib.Path(ca).resolve()) if ca else "",
        tenant=tenant,
        project=project,
    )
    if way.pop("ways"):
        _list(nobody)
        return
    context = msgspec.structs.replace(nobody, token=_proof(nobody, token_file, **way))
    with client.Client(context) as api:
        me = api.get("/me").body
    file = contexts.path()
    contexts.save(file, _current(contexts.load(file).having(context), context.name))
    click.echo(f"Logged in to {context.url} as {failures.visible(str(me.get('name', 'somebody')))}; context {context.name!r} is current.")


def _list(nobody: contexts.Context) -> None:
    with client.Client(nobody) as api:
        found = api.get("/login", tenant=nobody.tenant).body
    for one in found["items"]:
        click.echo(f"--provider {failures.visible(one['name'])}  {failures.visible(one['title'])}")
    if found["local"]:
        click.echo("--local NAME  a local admin's password")


def _proof(nobody: contexts.Context, file: str | None, *, provider: str, device: bool, rule: str, local: str) -> str:
    if sum(map(bool, (provider, rule, local))) > 1 or (device and not provider):
        raise failures.WrongUse("give --provider, perhaps with --device, or --rule, or --local, or none to show a token of the plane")
    if not provider and not rule and not local:
        return _token(file)
    with client.Client(nobody) as api:
        if local:
            return sso.with_password(api, local, file)
        if rule:
            return sso.vouched(api, rule, file)
        known = ".".join(kinds.checked("provider", part) for part in provider.split("."))  # of a tenant's own: TENANT.NAME
        return sso.on_device(api, known) if device else sso.in_browser(api, known)


def _current(known: contexts.File, name: str) -> contexts.File:
    return contexts.File(name, known.contexts)


def _address(url: str) -> str:
    """The address as kept: scheme, host, port and perhaps a prefix."""
    parts = addresses.parts(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise failures.WrongUse(f"{url!r} is not the address of a plane; write it as https://plane.example")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        click.echo(f"Warning: {parts.hostname} is spoken to without TLS; anybody on the way can read the token.", err=True)
    return url.rstrip("/").removesuffix(client.BASE)


def _token(file: str | None) -> str:
    found = private.read(file, prompt="The token").strip()
    if not found.isascii() or not found.isprintable() or " " in found:
        raise failures.WrongUse("a token is one line without spaces; this is something else")
    return found
