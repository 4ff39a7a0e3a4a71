"""An import-linter contract: each outside library is imported in its home only, and a library without a home nowhere."""

import fnmatch
import sys

import grimp
from importlinter import Contract, ContractCheck, fields, output


class HomesContract(Contract):
    """`homes` are lines `library: module, module`; a module stands for itself and all below it, `*` matches as in file names."""

    type_name = "homes"
    homes = fields.ListField(subfield=fields.StringField())

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001  # the signature is import-linter's
        homes = dict(_parse(line) for line in self.homes)  # type: ignore[attr-defined]  # import-linter turns fields into lists of text
        strays = sorted(stray for library in _libraries(graph) for stray in _strays(graph, library, homes.get(library, ())))
        return ContractCheck(kept=not strays, metadata={"strays": strays})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for module, library in check.metadata["strays"]:
            output.print_error(f"{module} imports {library}, whose home is elsewhere (pyproject.toml, contract homes)")


def _parse(line: str) -> tuple[str, tuple[str, ...]]:
    library, _, modules = line.partition(":")
    return library.strip(), tuple(module.strip() for module in modules.split(","))


def _libraries(graph: grimp.ImportGraph) -> list[str]:
    return [module for module in graph.modules if graph.is_module_squashed(module) and module not in sys.stdlib_module_names]


def _strays(graph: grimp.ImportGraph, library: str, homes: tuple[str, ...]) -> list[tuple[str, str]]:
    importers = graph.find_modules_that_directly_import(library)
    return [(module, library) for module in importers if not any(_inside(module, home) for home in homes)]


def _inside(module: str, home: str) -> bool:
    return fnmatch.fnmatchcase(module, home) or fnmatch.fnmatchcase(module, f"{home}.*")
