"""`VERB RESOURCE`, as people say it → the permission that is meant."""

from plane.domain import errors
from plane.domain.granting import roles

READING = {"list": "get", "watch": "get", "describe": "get", "show": "get"}
_NAMES = {
    "application": "app", "repo": "repository", "cred": "credential", "proj": "project", "policyset": "policy", "role": "access",
    "rolebinding": "access", "user": "access", "token": "access", "person": "access", "people": "access", "secret": "secrets",
}  # fmt: skip
_OF_APPS = {"logs": ("get", "app:logs"), "exec": ("create", "app:exec")}  # as resources, where Argo CD has them


def permission(verb: str, resource: str) -> str:
    """`sync app`, `list apps`, `action:apps/Deployment/restart app`, `patch object/apps/Deployment`, `reveal secrets`.

    Raises:
        Invalid: there is no such permission.
    """
    noun, _, kind = resource.partition("/")
    noun = _singular(noun.lower())
    if verb.startswith(("action:", "action/")):
        wanted = f"action:{verb.removeprefix('action:').removeprefix('action/')}"
    elif noun in _OF_APPS and verb in {*READING, "get", "create"}:
        wanted = _OF_APPS[noun][1]
    else:
        wanted = f"{noun}:{READING.get(verb, verb) if noun != 'audit' else _audit(verb)}"
        wanted += f"/{kind}" if wanted in roles.ON_KINDS and kind else ""
    if rule := roles.problem(wanted) or ("names no single action" if "*" in wanted else ""):
        raise errors.Invalid({"": f"{verb} {resource}: {rule}"})
    return wanted


def _audit(verb: str) -> str:
    return "read" if verb in {*READING, "get"} else verb


def _singular(noun: str) -> str:
    if noun in _NAMES or noun in {"access", "secrets", "logs"}:
        return _NAMES.get(noun, noun)
    short = f"{noun[:-3]}y" if noun.endswith("ies") else noun.removesuffix("s")
    return _NAMES.get(short, short)
