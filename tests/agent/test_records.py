"""Taking objects and bookmarks apart."""

import msgspec

from plane.adapters.cluster import kube_kinds
from plane.agent.kept import records

CONFIG_MAPS = kube_kinds.Resource(
    group="", version="v1", kind="ConfigMap", plural="configmaps", namespaced=True, verbs=frozenset({"watch"})
)


def test_a_bookmark_has_a_version_and_no_name() -> None:
    """The API server sends one about every minute; a watch that could not read it ended, and with it all healing."""
    bookmark = msgspec.Raw(b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"1234","creationTimestamp":null}}')
    assert records.see(bookmark, CONFIG_MAPS).version == 1234
