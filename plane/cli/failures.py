"""What goes wrong on the command line: one sentence on stderr, what to do, and a stable exit code."""

import difflib
from collections.abc import Iterable
from typing import Any

import click

DIFFERS = 1  # or failed, as the command documents it
WRONG_USE = 2
NOT_ALLOWED = 3
NOT_FOUND = 4
CONFLICT = 5
AWAY = 6

MEANINGS = {
    0: "done",
    DIFFERS: "differs, or failed in the way the command documents",
    WRONG_USE: "wrong use: an option, a file or a document breaks a rule",
    NOT_ALLOWED: "not logged in, or not allowed",
    NOT_FOUND: "not found, or not yours to see",
    CONFLICT: "conflict: it changed meanwhile, exists already, or something depends on it",
    AWAY: "the plane, or something it needs, is away; trying again may help",
}

_OWN_MISTAKE = 500  # found in the log by the instance
_BY_STATUS = {
    400: WRONG_USE,
    401: NOT_ALLOWED,
    403: NOT_ALLOWED,
    404: NOT_FOUND,
    409: CONFLICT,
    412: CONFLICT,
    413: WRONG_USE,
    415: WRONG_USE,
    429: AWAY,
}


class Failed(click.ClickException):
    """The sentence, lines of detail below it, and the exit code."""

    def __init__(self, sentence: str, *, code: int = DIFFERS, details: tuple[str, ...] = ()) -> None:
        self.code = code
        self.details = details
        super().__init__(sentence)

    @property
    def exit_code(self) -> int:  # type: ignore[override] # click reads it, as here, from the instance
        """What the process ends with."""
        return self.code

    def show(self, file: Any = None) -> None:  # noqa: ANN401 click's own signature
        """Print the sentence and its details on stderr."""
        click.echo(f"Error: {visible(self.message)}", err=True, file=file)
        for line in self.details:
            click.echo(f"  {visible(line)}", err=True, file=file)


class WrongUse(Failed):
    """An option, a file or a document breaks a rule."""

    def __init__(self, sentence: str, *, details: tuple[str, ...] = ()) -> None:
        super().__init__(sentence, code=WRONG_USE, details=details)


class Away(Failed):
    """No answer in time."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, code=AWAY)


class Refused(Failed):
    """The plane said no; `problem` is its problem document, `fields` maps a path in the document sent to the broken rule."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.problem = problem
        found = problem.get("problems")
        self.fields: dict[str, str] = {str(path): str(rule) for path, rule in found.items()} if isinstance(found, dict) else {}
        code = _BY_STATUS.get(status, AWAY if status >= 500 else DIFFERS)  # noqa: PLR2004 server errors
        super().__init__(_sentence(status, problem, self.fields), code=code, details=_details(problem, self.fields))


def nearest(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'apps'?)`, or nothing when no known word is near."""
    found = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.75)
    return f" (did you mean {found[0]!r}?)" if found else ""


def visible(text: str) -> str:
    """The text with control characters made harmless: what a repository says must not drive a terminal."""
    return "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text)


def _sentence(status: int, problem: dict[str, Any], fields: dict[str, str]) -> str:
    said = str(
        problem.get("detail")
        or problem.get("title")
        or f"the answer is {status}, and not as a plane gives it; check the address with `plane context show`, and any proxy in front of it"
    )
    if len(fields) > 1:
        return f"{len(fields)} fields break a rule"
    return said


def _details(problem: dict[str, Any], fields: dict[str, str]) -> tuple[str, ...]:
    if len(fields) > 1:
        return tuple(f"{path}: {rule}" for path, rule in fields.items())
    if problem.get("status") == _OWN_MISTAKE:
        return (str(problem.get("instance") or ""),)
    listed = problem.get("problems")
    return tuple(str(line) for line in listed) if isinstance(listed, list) else ()
