"""Values for rules' parameters against the JSON schemas in their METADATA, as far as those go: type, enum, items, properties."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

WORDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
}


def problems(rules: Mapping[str, Mapping[str, Schema]], given: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Broken rules by `RULE.parameter` path; `rules`: id → parameter → schema."""
    return {path: fault for rule, values in given.items() for path, fault in _rule(rule, rules, values)}


def _rule(rule: str, rules: Mapping[str, Mapping[str, Schema]], values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if rule not in rules:
        yield rule, f"is no rule of this profile; its rules are {', '.join(sorted(rules))}"
        return
    for name, value in values.items():
        schema = rules[rule].get(name)
        if schema is None:
            yield f"{rule}.{name}", f"is no parameter of the rule; it has {', '.join(sorted(rules[rule])) or 'none'}"
        else:
            yield from _value(f"{rule}.{name}", schema, value)


def _value(path: str, schema: Schema, value: object) -> Iterator[tuple[str, str]]:
    kind = schema.get("type", "")
    if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        yield path, f"must be {WORDS[kind]}"
    elif "enum" in schema and value not in schema["enum"]:
        yield path, f"must be one of {', '.join(map(str, schema['enum']))}"
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            yield from _value(f"{path}[{number}]", schema.get("items", {}), one)
    elif isinstance(value, dict):
        yield from _mapping(path, schema, value)


def _mapping(path: str, schema: Schema, value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    own, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    yield from ((f"{path}.{name}", "is missing") for name in schema.get("required", ()) if name not in value)
    for name, one in value.items():
        if own and name not in own:
            yield f"{path}.{name}", f"is not known; write {', '.join(sorted(own))}"
        else:
            yield from _value(f"{path}.{name}", own.get(name, others), one)
