"""Policy sets that lie elsewhere: where, and which files of a folder of Git make the set."""

from collections.abc import Iterable

import msgspec

from plane.domain.judging import styles

MAX_FILES = 1000


class Source(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A folder of a repository at a revision, as an app's; of a registry (oci://) an artifact by its tag or digest, without a path.

    `project`: whose repository, credentials and signatureKeys count.
    """

    project: str
    repo_url: str = msgspec.field(name="repoURL")
    path: str = "."
    target_revision: str = "HEAD"


def members(names: Iterable[str], style: styles.Style) -> tuple[str, ...]:
    """Of the files below the folder those that the set is made of; hidden ones and other kinds of files are none of it."""
    return tuple(name for name in names if not _hidden(name) and styles.meant(style, name))


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
