"""Audit files as tests hold them: lines of text."""

from collections.abc import Iterable
from typing import Any

from plane.cli.auditing import verifier


def verified(lines: Iterable[str], *asked: Any, part: bool = False) -> verifier.Verifier:  # noqa: ANN401 - as Verifier takes them
    """What the verifier finds in them."""
    return verifier.Verifier(*asked, part=part).take(verifier.parts(f"{line}\n".encode() for line in lines))
