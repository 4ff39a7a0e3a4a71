"""How health changed, as REST tells it."""

from plane.wire import rest


class HealthQuery(rest.Paging, frozen=True, kw_only=True):
    """`since`: RFC 3339, or a date; `kind`, `name`, `namespace`, `group`: of one object."""

    since: rest.Text = ""
    group: rest.Text = ""
    kind: rest.Text = ""
    namespace: rest.Text = ""
    name: rest.Text = ""


class HealthChange(rest.Answer, frozen=True, kw_only=True):
    """One change. Without a kind it is the app's own, and `message` names the object that decided.

    `before` empty: the object was new; `after` empty: it is gone.
    """

    number: int
    at: str
    before: str
    after: str
    message: str = ""
    group: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
