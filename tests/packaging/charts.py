"""Helm, as tests of charts need it."""

import json
import pathlib
import subprocess
from collections.abc import Mapping
from typing import Any

import yaml

from plane import config

ROOT = pathlib.Path(__file__).parents[2]
RELEASE = "demo"


def template(chart: str, values: Mapping[str, Any], *, namespace: str = "gitops-plane") -> subprocess.CompletedProcess[str]:
    """`helm template`; JSON is YAML, so the values go in as they are."""
    command = [config.program("helm"), "template", RELEASE, str(ROOT / "charts" / chart), "--namespace", namespace, "--values", "-"]
    return subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=False, timeout=60)


def rendered(chart: str, values: Mapping[str, Any], *, namespace: str = "gitops-plane") -> str:
    done = template(chart, values, namespace=namespace)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(text: str) -> list[dict[str, Any]]:
    return [found for found in yaml.safe_load_all(text) if found]


def pods(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pod specs of Deployments and Jobs."""
    return [one["spec"]["template"]["spec"] for one in found if one["kind"] in {"Deployment", "Job"}]
