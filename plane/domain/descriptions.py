"""What published schemas say of our types, the same on every Python: from 3.13 on docstrings come without their indentation."""

import inspect
from collections.abc import Mapping
from typing import Any


def cleaned(components: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Schemas by name, their descriptions as inspect.cleandoc makes them."""
    return {
        name: {field: inspect.cleandoc(value) if field == "description" else value for field, value in schema.items()}
        for name, schema in components.items()
    }
