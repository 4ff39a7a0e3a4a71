"""`plane identityprovider`: where people log in."""

import click

from plane.cli import failures, kinds, nouns, session

_DOC = "OpenID Connect providers; `-T -` for the platform's own. Create them with `plane apply`."
identityprovider = nouns.group(kinds.IDENTITY_PROVIDER, _DOC)


@identityprovider.command("test")
@nouns.named(kinds.IDENTITY_PROVIDER)
@session.placed
def test(where: session.Session, *, name: str) -> None:
    """Test the provider now: exit 0 if log-ins can work; otherwise 1, with the reason."""
    found = where.api.call("POST", f"{kinds.path(kinds.IDENTITY_PROVIDER, where, name)}/test").body
    if not found["ok"]:
        raise failures.Failed(f"identityprovider/{name}: {'; '.join(map(failures.visible, found['problems']))}")
    click.echo(f"identityprovider/{name} answers, with {found['keys']} keys; register {failures.visible(found['redirect'])} there")
