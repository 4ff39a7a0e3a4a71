"""`--param NAME=VALUE`."""

from collections.abc import Iterable

from plane.cli import failures


def read(words: Iterable[str]) -> dict[str, str]:
    """Values by name; WrongUse for a word that is no pair."""
    pairs = [word.partition("=") for word in words]
    wrong = next((name for name, equals, _ in pairs if not equals or not name), None)
    if wrong is not None:
        raise failures.WrongUse(f"--param {wrong!r} is no NAME=VALUE, for example replicas=3")
    return {name: value for name, _, value in pairs}
