"""Two kinds of import contract that pyproject.toml uses beside import-linter's own."""

from typing import Any

from importlinter import ContractCheck
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.protected import ProtectedContract
from importlinter.domain.helpers import module_expressions_to_modules
from importlinter.domain.imports import ModuleExpression


class KeysStandAlone(IndependenceContract):
    """`keys`: one file is one entry, and the entries do not know each other.

    Files whose names start with an underscore are helpers and may be shared; but a way from one
    entry to another through a helper is still a way, and is found.
    """

    type_name = "keys"

    def check(self, graph: Any, verbose: bool) -> ContractCheck:
        """Independence, after the helpers are dropped from `modules`."""
        found = [module.name for module in module_expressions_to_modules(graph, self.modules)]
        self.modules = {
            ModuleExpression(name) for name in found if name.rpartition(".")[2][0] != "_"
        }
        return super().check(graph, verbose)


class OnlyIn(ProtectedContract):
    """`only`: `protected_modules` are imported by `allowed_importers` and nobody else.

    Unlike import-linter's own kind it may name what nobody imports yet, and folders still to come.
    """

    type_name = "only"

    def check(self, graph: Any, verbose: bool) -> ContractCheck:
        """Protection of those that are there."""
        self.protected_modules = _present(graph, self.protected_modules)
        self.allowed_importers = _present(graph, self.allowed_importers)
        return super().check(graph, verbose)


def _present(graph: Any, expressions: list[ModuleExpression]) -> list[ModuleExpression]:
    return [each for each in expressions if each.expression in graph.modules]
