"""What events about the parts of clusters that tenants may use hold in `details`."""

from plane.domain.auditing import details


class Granted(details.Details, frozen=True, kw_only=True, omit_defaults=True):
    """A tenant's part as it is from now on."""

    namespaces: tuple[str, ...]
    cluster_kinds: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
