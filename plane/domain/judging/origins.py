"""Where the files of a policy set came from, as far as anybody can tell."""

from typing import Any, Literal

import msgspec


class Origin(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`digest`: SHA-256 of what was uploaded, or of the artifact; `revision`: the manifest's own word, or the commit.

    `signed_by`: whose key did.
    """

    kind: Literal["bundle", "git", "oci"]
    digest: str = ""
    revision: str = ""
    roots: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    signed_by: str = ""

    def at(self) -> str:
        """What of its source it is: the commit, or the artifact's digest."""
        return self.digest if self.kind == "oci" else self.revision


class Signed(msgspec.Struct, frozen=True):
    """`by`: the trusted key; or `problem`: why none, as the end of a sentence that begins with what was sent."""

    by: str = ""
    problem: str = ""
