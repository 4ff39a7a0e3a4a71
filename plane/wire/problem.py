"""A refusal on the wire: RFC 9457 problem details."""

from typing import Any

import msgspec

CONTENT_TYPE = "application/problem+json"
TYPE = "urn:gitops-plane:problem:"  # and the error's code, which is never renamed


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """`detail` is the sentence for people; the error's public fields stand beside these members."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = ""


def encode(problem: Problem, fields: dict[str, Any]) -> bytes:
    """JSON; the members of RFC 9457 win over fields of the same name."""
    return msgspec.json.encode({**fields, **msgspec.structs.asdict(problem)})
