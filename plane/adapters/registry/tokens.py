"""What a registry wants to see of a log-in: Basic, or the token of a service that it names.

Source: https://distribution.github.io/distribution/spec/auth/token/
"""

import re
from collections.abc import Callable
from urllib import parse

import msgspec

from plane import ports
from plane.adapters.git import credentials
from plane.adapters.registry import transport
from plane.domain import errors
from plane.domain.reading import addresses

MAX_TOKEN_BYTES = 64 * 1024
_WORD = re.compile(r'(\w+)="([^"]*)"', re.ASCII)
_SAFE = re.compile(r"[!-~]+")
Ask = Callable[[transport.Wish], transport.Answer]


class _Token(msgspec.Struct):
    token: str = ""
    access_token: str = ""


def authorization(challenge: str, auth: ports.GitAuth, *, scope: str, ask: Ask) -> str:
    """The value of the header that answers a challenge; SourceRefused when there is none, BackendDown when nobody gives a token now."""
    if auth.ssh_key is not None:
        raise errors.SourceRefused("a registry takes a user name and a password or token; give it a credential of kind git-password")
    basic = f"Basic {credentials.basic(auth).decode()}" if auth.password is not None else ""
    form = challenge.partition(" ")[0].lower()
    if form == "bearer":
        return f"Bearer {_token(dict(_WORD.findall(challenge)), basic, scope=scope, ask=ask)}"
    if form == "basic" and basic:
        return basic
    raise errors.SourceRefused("the registry wants a log-in; name a credential of the project in the repository's spec.credential")


def _token(said: dict[str, str], basic: str, *, scope: str, ask: Ask) -> str:
    answer = ask(transport.Wish("GET", _realm(said, scope), MAX_TOKEN_BYTES, {"Authorization": basic} if basic else {}))
    if answer.status in {400, 401, 403, 404}:
        whom = "the credential" if basic else "a log-in without a credential; name one in the repository's spec.credential"
        raise errors.SourceRefused(f"the registry's token service refuses {whom}")
    if answer.status != 200:  # noqa: PLR2004 - HTTP's own
        raise errors.BackendDown(transport.WHAT, f"its token service answered {answer.status}")
    try:
        found = msgspec.json.decode(answer.body, type=_Token)
    except (msgspec.DecodeError, RecursionError) as e:
        raise errors.BackendDown(transport.WHAT, "its token service gave no token") from e
    token = found.token or found.access_token
    if not _SAFE.fullmatch(token):
        raise errors.BackendDown(transport.WHAT, "its token service gave no token")
    return token


def _realm(said: dict[str, str], scope: str) -> str:
    """Where to ask, for nothing but pulling from this one repository, whatever the challenge names."""
    parts = addresses.parts(said.get("realm", ""))
    if parts is None or parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise errors.SourceRefused("the registry sends to a token service that is no https:// address")
    asked = [*parse.parse_qsl(parts.query), *([("service", said["service"])] if said.get("service") else []), ("scope", scope)]
    return parts._replace(query=parse.urlencode(asked), fragment="").geturl()
