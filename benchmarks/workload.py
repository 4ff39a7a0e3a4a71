"""The bench workload: a Git repository of N small applications, the same bytes and the same commit ids every time.

    python -m benchmarks.workload init DIR [--apps 1000] [--groups 20] [--kustomize]   make the repository (branch main)
    python -m benchmarks.workload touch DIR APP [APP ...]                              raise data.revision of these apps, one commit
    python -m benchmarks.workload namespaces [--groups 20]                             print the namespaces the apps live in

Application i is apps/app-IIII/ with one file per object: a ConfigMap, a ServiceAccount, a Service and a Deployment of one replica, in
namespace bench-(i mod groups). APP is a number or a name. With the defaults the first commit is 73fe2ca43b15.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
from typing import Any

EPOCH = 1_767_225_600  # 2026-01-01T00:00:00Z; commit k is dated EPOCH + k, which keeps the commit ids the same on every machine
LABEL = "bench.example/app"
APPS, GROUPS = 1000, 20
SETTINGS = {"http.receivepack": "false", "uploadpack.allowReachableSHA1InWant": "true", "gc.auto": "0", "commit.gpgsign": "false"}

Body = dict[str, Any]


def app_name(index: int) -> str:
    """`app-0042`."""
    return f"app-{index:04d}"


def namespace_name(index: int, groups: int = GROUPS) -> str:
    """The namespace of application `index`."""
    return f"bench-{index % groups:02d}"


def objects(index: int, groups: int = GROUPS) -> dict[str, Body]:
    """The four objects of one application, by file stem."""
    name = app_name(index)
    labels = {LABEL: name}

    def head(api_version: str, kind: str) -> Body:
        meta = {"name": name, "namespace": namespace_name(index, groups), "labels": dict(labels)}
        return {"apiVersion": api_version, "kind": kind, "metadata": meta}

    service = {"selector": dict(labels), "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}
    template = {"metadata": {"labels": dict(labels)}, "spec": {"serviceAccountName": name, "containers": [_container(name)]}}
    return {
        "configmap": head("v1", "ConfigMap") | {"data": {"app": name, "greeting": f"hello from {name}", "revision": "0"}},
        "serviceaccount": head("v1", "ServiceAccount") | {"automountServiceAccountToken": False},
        "service": head("v1", "Service") | {"spec": service},
        "deployment": head("apps/v1", "Deployment")
        | {"spec": {"replicas": 1, "selector": {"matchLabels": dict(labels)}, "template": template}},
    }


def to_yaml(value: object, indent: int = 0) -> str:
    """Block YAML for the plain data above: mappings, lists of mappings, strings, numbers, booleans."""
    if isinstance(value, dict):
        return "".join(_entry(key, item, indent) for key, item in value.items())
    if isinstance(value, list):
        return "".join(f"{'  ' * indent}- {to_yaml(item, indent + 1).lstrip()}" for item in value)
    message = f"cannot write {type(value).__name__}"
    raise TypeError(message)


def init(folder: pathlib.Path, *, apps: int = APPS, groups: int = GROUPS, kustomize: bool = False) -> str:
    """Make the repository; returns the commit."""
    for index in range(apps):
        home = folder / "apps" / app_name(index)
        home.mkdir(parents=True)
        for stem, body in objects(index, groups).items():
            (home / f"{stem}.yaml").write_text(to_yaml(body))
        if kustomize:
            resources = "".join(f"- {stem}.yaml\n" for stem in objects(index, groups))
            head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n"
            (home / "kustomization.yaml").write_text(head + resources)
    _git(folder, "init", "-q", "-b", "main")
    for key, value in SETTINGS.items():
        _git(folder, "config", key, value)
    _git(folder, "add", "-A")
    return _commit(folder, f"{apps} applications")


def touch(folder: pathlib.Path, names: list[str]) -> str:
    """Change one field of each named application; returns the commit."""
    names = [app_name(int(name)) if name.isdigit() else name for name in names]
    for name in names:
        path = folder / "apps" / name / "configmap.yaml"
        path.write_text(re.sub(r'(revision: ")(\d+)', lambda found: found[1] + str(int(found[2]) + 1), path.read_text(), count=1))
        _git(folder, "add", str(path.relative_to(folder)))
    return _commit(folder, f"touch {' '.join(names)}")


def namespaces(groups: int = GROUPS) -> str:
    """The namespaces as YAML."""
    return "---\n".join(
        to_yaml({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace_name(i, groups)}}) for i in range(groups)
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("init")
    making.add_argument("folder", type=pathlib.Path)
    making.add_argument("--apps", type=int, default=APPS)
    making.add_argument("--groups", type=int, default=GROUPS)
    making.add_argument("--kustomize", action="store_true")
    touching = commands.add_parser("touch")
    touching.add_argument("folder", type=pathlib.Path)
    touching.add_argument("apps", nargs="+")
    printing = commands.add_parser("namespaces")
    printing.add_argument("--groups", type=int, default=GROUPS)
    given = parser.parse_args()
    if given.command == "init":
        print(init(given.folder, apps=given.apps, groups=given.groups, kustomize=given.kustomize))
    elif given.command == "touch":
        print(touch(given.folder, given.apps))
    else:
        print(namespaces(given.groups), end="")


def _container(name: str) -> Body:
    return {
        "name": "main",
        "image": "registry.example/app:1.0.0",
        "ports": [{"name": "http", "containerPort": 8080}],
        "envFrom": [{"configMapRef": {"name": name}}],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}},
    }


def _entry(key: str, item: object, indent: int) -> str:
    pad = "  " * indent
    if isinstance(item, dict | list):
        return f"{pad}{key}:\n{to_yaml(item, indent + (not isinstance(item, list)))}"
    return f"{pad}{key}: {json.dumps(item)}\n"


def _git(folder: pathlib.Path, *arguments: str, when: int | None = None) -> str:
    environment = dict(os.environ)
    for role in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{role}_NAME": "bench", f"GIT_{role}_EMAIL": "bench@example.com"}
        if when is not None:
            environment[f"GIT_{role}_DATE"] = f"{when} +0000"
    done = subprocess.run(["git", "-C", str(folder), *arguments], env=environment, check=True, capture_output=True, text=True)  # noqa: S607
    return done.stdout.strip()


def _commit(folder: pathlib.Path, message: str) -> str:
    number = len(_git(folder, "rev-list", "--all").split())
    _git(folder, "commit", "-q", "-m", message, when=EPOCH + number)
    return _git(folder, "rev-parse", "HEAD")


if __name__ == "__main__":
    main()
