"""Which plane, as whom, in which tenant and project: the file of contexts, as kubectl has one."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Mapping

import msgspec

from plane.cli import failures
from plane.domain.reading import addresses, documents, yaml_text

DEFAULT_FILE = "~/.config/gitops-plane/config.yaml"


class Context(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One way to a plane. `ca` is a file of PEM certificates; empty: the system's."""

    name: str
    url: str
    token: str = ""
    ca: str = ""
    tenant: str = ""
    project: str = ""


class File(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """All contexts, by name; `current` is the one in use, or empty."""

    current: str = ""
    contexts: tuple[Context, ...] = ()

    def find(self, name: str) -> Context:
        """The context of that name."""
        for context in self.contexts:
            if context.name == name:
                return context
        known = ", ".join(sorted(context.name for context in self.contexts)) or "none"
        raise failures.WrongUse(f"there is no context {name!r} (known: {known}); make it with `plane login URL --context {name}`")

    def having(self, context: Context) -> "File":
        """With this context in place of the one with its name."""
        others = tuple(other for other in self.contexts if other.name != context.name)
        return msgspec.structs.replace(self, contexts=tuple(sorted((*others, context), key=lambda each: each.name)))

    def without(self, name: str) -> "File":
        """Without that context; it is no longer current either."""
        gone = self.find(name)
        left = tuple(context for context in self.contexts if context is not gone)
        return File("" if self.current == name else self.current, left)


def path(environment: Mapping[str, str] = os.environ) -> pathlib.Path:
    """Where the file is: PLANE_CONFIG, or below the home directory."""
    return pathlib.Path(environment.get("PLANE_CONFIG") or DEFAULT_FILE).expanduser()


def load(file: pathlib.Path) -> File:
    """The file, empty when there is none yet."""
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return File()
    except OSError as error:
        raise failures.WrongUse(f"{file}: cannot be read ({error.strerror}); mend it, or name another with PLANE_CONFIG") from error
    try:
        found = [document.value for document in documents.read(text, file=str(file)) if document.value is not None]
        return msgspec.convert(found[0] if found else {}, File)
    except (documents.Unreadable, msgspec.ValidationError) as error:
        raise failures.WrongUse(f"{file}: this is not a file of contexts ({error}); mend it, or remove it and run `plane login`") from error


def save(file: pathlib.Path, contexts: File) -> None:
    """Write it whole or not at all, readable by its owner alone: it holds tokens."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(yaml_text.dump(msgspec.to_builtins(contexts)))
        pathlib.Path(name).replace(file)
    except OSError as error:
        with contextlib.suppress(FileNotFoundError):
            pathlib.Path(name).unlink()
        raise failures.WrongUse(
            f"{file}: cannot be written ({error.strerror}); free the place, or name another with PLANE_CONFIG"
        ) from error


def choose(contexts: File, *, name: str, environment: Mapping[str, str] = os.environ) -> Context:
    """The context named, or the current one, with PLANE_URL, PLANE_TOKEN and PLANE_CA laid over it; PLANE_URL alone is enough."""
    url = environment.get("PLANE_URL", "")
    if url and addresses.parts(url) is None:
        raise failures.WrongUse("PLANE_URL is no URL; write it as https://plane.example")
    wanted = name or ("" if url else contexts.current)
    if not wanted and not url:
        raise failures.Failed("no plane to talk to; run `plane login URL`, or set PLANE_URL and PLANE_TOKEN", code=failures.NOT_ALLOWED)
    found = contexts.find(wanted) if wanted else Context(name="environment", url=url)
    laid = {field: environment[variable] for field, variable in _VARIABLES.items() if environment.get(variable)}
    return found if name else msgspec.structs.replace(found, **laid)


_VARIABLES = {"url": "PLANE_URL", "token": "PLANE_TOKEN", "ca": "PLANE_CA"}
