"""Which Kubernetes there is."""

import subprocess

from plane import config
from plane.domain import errors


def available() -> str:
    """The API server's own version, such as 1.36.2."""
    asked = subprocess.run([config.program("kube-apiserver"), "--version"], check=True, capture_output=True, text=True)
    return asked.stdout.strip().removeprefix("Kubernetes v")


def check(wanted: str) -> None:
    """Refuse a version, minor (1.36) or full (v1.36.2), that is not the one there is."""
    have = available()
    minor = ".".join(have.split(".")[:2])
    if wanted.removeprefix("v") not in {have, minor}:
        rule = f"Kubernetes {wanted} is not available, {have} is; name {minor}, or pin another release in tools/"
        raise errors.Invalid({"--kube-version": rule})
