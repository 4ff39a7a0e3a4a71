"""When an object's turn comes: phase, wave, and the life of hooks, as its annotations say.

`gitops-plane.io/` wins over `argocd.argoproj.io/`, which wins over Helm's own.
"""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from plane.domain import annotations, objects

BadAnnotation = annotations.BadAnnotation

HELM_HOOK = "helm.sh/hook"
HELM_WEIGHT = "helm.sh/hook-weight"
HELM_DELETE = "helm.sh/hook-delete-policy"

FINALIZER = annotations.OURS + "hook-finalizer"  # on every hook while it runs: a TTL or a person deletes it, and its result stays readable
FINALIZERS = frozenset({FINALIZER, annotations.ARGO + "hook-finalizer"})  # taken off when it is done or terminated, whoever put them on
MAX_NAME = 63  # of a label's value

Phase = Literal["PreSync", "Sync", "PostSync", "SyncFail", "PreDelete", "PostDelete"]
Delete = Literal["HookSucceeded", "HookFailed", "BeforeHookCreation"]

_PHASES: dict[str, Phase] = {phase: phase for phase in get_args(Phase)}
_DELETES: dict[str, Delete] = {policy: policy for policy in get_args(Delete)}
_HELM_PHASES: dict[str, Phase] = {
    "pre-install": "PreSync",
    "pre-upgrade": "PreSync",
    "post-install": "PostSync",
    "post-upgrade": "PostSync",
    "pre-delete": "PreDelete",
    "post-delete": "PostDelete",
}
_HELM_DELETES: dict[str, Delete] = {
    "hook-succeeded": "HookSucceeded",
    "hook-failed": "HookFailed",
    "before-hook-creation": "BeforeHookCreation",
}


class Turn(msgspec.Struct, frozen=True):
    """`phases` is empty for an object that is never applied: `Skip`, and Helm's tests and rollback hooks."""

    phases: tuple[Phase, ...] = ("Sync",)
    wave: int = 0
    hook: bool = False
    deletes: tuple[Delete, ...] = ()


_ORDINARY = Turn()


def turn(manifest: objects.Manifest) -> Turn:
    """Read an object's annotations.

    Raises:
        BadAnnotation: a wave that is no integer, an unknown hook or delete policy.
    """
    marks = manifest.body["metadata"].get("annotations")
    if not marks:
        return _ORDINARY
    name, hook = annotations.find(marks, "hook")
    phases = _hook_phases(manifest, name, hook) if hook else _helm_phases(marks.get(HELM_HOOK))
    wave = _wave(manifest, marks)
    if phases is None:
        return Turn(wave=wave) if wave else _ORDINARY
    return Turn(phases, wave, hook=True, deletes=_deletes(manifest, marks))


def is_hook(marks: Mapping[str, Any]) -> bool:
    """Whether a live object was made as a hook."""
    name, hook = annotations.find(marks, "hook")
    return annotations.words(hook) != ["Skip"] if name else _helm_phases(marks.get(HELM_HOOK)) is not None


def wave_of(marks: Mapping[str, Any]) -> int:
    """The wave of a live object; 0 when it cannot be read, because what is there must not stop a sync."""
    text = annotations.find(marks, "sync-wave")[1] or str(marks.get(HELM_WEIGHT) or "")
    return int(text) if _is_integer(text) else 0


def hook_name(manifest: objects.Manifest, phase: Phase, *, revision: str, started_at: int) -> str:
    """The name of a hook that has only `generateName`: the same for one operation, another for the next.

    Args:
        manifest: the hook.
        phase: a hook of two phases has two names.
        revision: the commit.
        started_at: what tells operations apart: Unix seconds of the start, or a generation.

    As Argo CD: prefix, seven characters of the revision, phase, start. A long prefix is cut: a Job's name becomes a label of its pods.
    """
    ending = f"{revision[:7]}-{phase}-{started_at}"
    return f"{manifest.body['metadata']['generateName'][: MAX_NAME - len(ending)]}{ending}".lower()


def _hook_phases(manifest: objects.Manifest, name: str, text: str) -> tuple[Phase, ...] | None:
    words = annotations.words(text)
    if words == ["Skip"]:
        return ()
    words = [word for word in words if word != "Skip"]  # as Argo CD: beside a phase it says nothing
    unknown = [word for word in words if word not in _PHASES]
    if unknown or not words:
        raise BadAnnotation(manifest, name, f"is {text!r}; use {', '.join(_PHASES)} or Skip")
    return tuple(dict.fromkeys(_PHASES[word] for word in words))


def _helm_phases(text: object) -> tuple[Phase, ...] | None:
    """None: an ordinary object. Hooks that Helm runs at other times (test, rollback) have no phase here."""
    words = annotations.words(str(text or ""))
    if not words or words == ["crd-install"]:
        return None
    return tuple(dict.fromkeys(_HELM_PHASES[word] for word in words if word in _HELM_PHASES))


def _wave(manifest: objects.Manifest, marks: Mapping[str, Any]) -> int:
    name, text = annotations.find(marks, "sync-wave")
    if not name:
        name, text = HELM_WEIGHT, str(marks.get(HELM_WEIGHT) or "0")
    if not _is_integer(text):
        raise BadAnnotation(manifest, name, f"is {text!r}; a wave is an integer such as -1 or 5, in quotes")
    return int(text)


def _is_integer(text: str) -> bool:
    digits = text.strip().lstrip("+-")
    return digits.isascii() and digits.isdigit() and len(text.strip()) - len(digits) <= 1 and len(digits) < 10  # noqa: PLR2004 32 bits


def _deletes(manifest: objects.Manifest, marks: Mapping[str, Any]) -> tuple[Delete, ...]:
    name, text = annotations.find(marks, "hook-delete-policy")
    known = _DELETES if name else _HELM_DELETES
    words = annotations.words(text if name else str(marks.get(HELM_DELETE) or ""))
    unknown = [word for word in words if word not in known]
    if unknown:
        raise BadAnnotation(manifest, name or HELM_DELETE, f"has {unknown[0]!r}; use {', '.join(known)}")
    return tuple(dict.fromkeys(known[word] for word in words)) or ("BeforeHookCreation",)
