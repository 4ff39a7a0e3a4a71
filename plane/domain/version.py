"""Which release of the plane this is: what pyproject.toml said when it was installed."""

from importlib import metadata


def _installed() -> str:
    try:
        return metadata.version("gitops-plane")
    except metadata.PackageNotFoundError:
        return "0+source"


VERSION = _installed()
