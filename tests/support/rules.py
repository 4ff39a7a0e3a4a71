"""Rules of a test that say what they are, as every set that is taken has to."""

_HEAD = """# METADATA
# title: A rule of a test
# description: Finds what the test wants found.
# custom:
#   severity: medium
#   remedy: Change the test.
"""
_ABOUT = "\nimport data.plane.lib\n\nabout := lib.about(rego.metadata.chain())\n"


def described(module: str) -> str:
    """A module that begins with its package, with METADATA of its own."""
    package, _, rest = module.partition("\n")
    return f"{_HEAD}{package}\n{_ABOUT}{rest}"
