"""`plane identityprovider`: where people log in."""

import click

from plane.cli import failures, kinds, nouns, session

_DOC = "Identity providers: where people log in; `-T -` for the platform's own. Make them with `plane apply`."
identityprovider = nouns.group(kinds.IDENTITY_PROVIDER, _DOC)


@identityprovider.command("test")
@nouns.named(kinds.IDENTITY_PROVIDER)
@session.placed
def test(where: session.Session, *, name: str) -> None:
    """Reach the provider now: exit 0 log-ins can work, 1 they cannot, and why."""
    found = where.api.call("POST", f"{kinds.path(kinds.IDENTITY_PROVIDER, where, name)}/test").body
    if not found["ok"]:
        raise failures.Failed(f"identityprovider/{name}: {'; '.join(map(failures.visible, found['problems']))}")
    click.echo(f"identityprovider/{name} answers, with {found['keys']} keys; register {failures.visible(found['redirect'])} there")
