"""Kubernetes' CEL environment, as far as it is known to mean the same; `authorizer`, `format` and `string` of addresses are not in it.

Source: k8s.io/apiserver/pkg/cel/environment and library, Kubernetes 1.36. Runs in children alone.
"""

import itertools
from typing import Any

from cel_expr_python import cel

from plane.adapters.scripting import cel_addresses, cel_networks, cel_patterns, cel_quantities, cel_versions
from plane.adapters.scripting.cel_types import BOOL, DYN, LIST, Function

NAMES = ("object", "oldObject", "request", "params", "namespaceObject", "variables")
_EXTENSIONS = "name: kubernetes\nextensions:\n" + "".join(
    f"- name: {one}\n" for one in ("strings", "optional", "sets", "lists", "two-var-comprehensions")
)
_LISTS = (
    Function("isSorted", BOOL, [LIST], lambda several: all(one <= other for one, other in itertools.pairwise(several)), member=True),
    Function("sum", DYN, [LIST], sum, member=True),
    Function("min", DYN, [LIST], min, member=True),
    Function("max", DYN, [LIST], max, member=True),
)


def environment() -> Any:  # noqa: ANN401 the library's own
    """Built once per process."""
    libraries = (cel_quantities, cel_networks, cel_versions, cel_addresses, cel_patterns)
    every = [*_LISTS, *(one for library in libraries for one in library.functions())]
    named = {one.name: [other for other in every if other.name == one.name] for one in every}
    functions = [cel.FunctionDecl(name, list(map(_overload, overloads, itertools.count()))) for name, overloads in named.items()]
    config = cel.NewEnvConfigFromYaml(_EXTENSIONS)
    return cel.NewEnv(config=config, variables=dict.fromkeys(NAMES, cel.Type.DYN), functions=functions)


def _overload(one: Function, number: int) -> Any:  # noqa: ANN401 the library's own
    return cel.Overload(f"kubernetes_{one.name}_{number}", one.gives, one.takes, one.member, impl=one.call)
