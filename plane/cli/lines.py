"""Where a field stands in the text of a document."""

import re

import yaml
from yaml import cyaml, nodes

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def locate(text: str, path: str) -> int:
    """The line, counted from 0, of the deepest part of the path that is there; -1 when none is.

    Args:
        text: one YAML or JSON document that has been read before, so that its depth is bounded.
        path: as problems name fields, `spec.sources[0].path`.
    """
    try:
        node = yaml.compose(text, Loader=cyaml.CSafeLoader)
    except yaml.YAMLError:
        return -1
    found = -1
    for key, index in _STEP.findall(path):
        at, node = _item(node, int(index)) if index else _value(node, key)
        if node is None:
            break
        found = at
    return found


def _value(node: nodes.Node | None, wanted: str) -> tuple[int, nodes.Node | None]:
    for key, value in node.value if isinstance(node, nodes.MappingNode) else ():
        if key.value == wanted:
            return key.start_mark.line, value
    return -1, None


def _item(node: nodes.Node | None, wanted: int) -> tuple[int, nodes.Node | None]:
    if isinstance(node, nodes.SequenceNode) and wanted < len(node.value):
        return node.value[wanted].start_mark.line, node.value[wanted]
    return -1, None
