"""Where the files of a policy set came from, as far as anybody can tell."""

from typing import Any, Literal

import msgspec


class Origin(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`digest`: SHA-256 of what was uploaded; `revision`: the manifest's own word, or the commit; `signed_by`: whose key did."""

    kind: Literal["bundle", "git"]
    digest: str = ""
    revision: str = ""
    roots: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    signed_by: str = ""


class Signed(msgspec.Struct, frozen=True):
    """`by`: the trusted key; or `problem`: why none, as the end of a sentence that begins with what was sent."""

    by: str = ""
    problem: str = ""
