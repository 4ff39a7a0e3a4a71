"""What policies would do, before they are in force: a tenant's own apps, and the platform's view of everybody's."""

from litestar.handlers import HTTPRouteHandler

from plane.api import calls
from plane.server.asking import previews as use
from plane.wire import previews, rest


def handlers() -> list[HTTPRouteHandler]:
    """Below /api/v1."""
    return [*_at("/tenants/{tenant}/previews", ""), *_at("/previews", "platform_")]


def _at(path: str, prefix: str) -> list[HTTPRouteHandler]:
    return [*_making(path, prefix), *_reading(path, prefix)]


def _making(path: str, prefix: str) -> list[HTTPRouteHandler]:
    begun = calls.Doc(
        answer=previews.Preview, body=previews.NewPreview, status=201, tag="policies", operation=f"{prefix}begin_preview",
        summary="Ask what a policy would do to what apps are now; `step` does the work.",
    )  # fmt: skip
    stepped = calls.Doc(
        answer=previews.Preview, tag="policies", operation=f"{prefix}step_preview",
        summary="Ask about some more apps, for a few seconds; call it until `endedAt` is there.",
    )  # fmt: skip
    return [
        calls.endpoint("POST", path, begun)(
            lambda call: (use.begin(call.plane, call.caller, call.names, call.read(previews.NewPreview)), 201)
        ),
        calls.endpoint("POST", f"{path}/{{preview}}/step", stepped)(
            lambda call: use.step(call.plane, call.caller, call.names, call.path["preview"])
        ),
    ]


def _reading(path: str, prefix: str) -> list[HTTPRouteHandler]:
    one = f"{path}/{{preview}}"
    listed = calls.Doc(
        answer=rest.Page[previews.Preview], tag="policies", operation=f"{prefix}list_previews", summary="The newest 20 previews."
    )
    got = calls.Doc(
        answer=previews.Preview,
        tag="policies",
        operation=f"{prefix}get_preview",
        summary="A preview with its sums by tenant, cluster, rule.",
    )
    apps = calls.Doc(
        answer=rest.Page[previews.PreviewApp], query=rest.Paging, tag="policies", operation=f"{prefix}list_preview_apps",
        summary="The apps of which a preview found something.",
    )  # fmt: skip
    compared = calls.Doc(
        answer=previews.PreviewComparison, query=previews.ComparisonQuery, tag="policies", operation=f"{prefix}compare_preview",
        summary="What is other than in an earlier preview.",
    )  # fmt: skip
    return [
        calls.endpoint("GET", path, listed)(lambda call: use.listed(call.plane, call.caller, call.names)),
        calls.endpoint("GET", one, got)(lambda call: use.get(call.plane, call.caller, call.names, call.path["preview"])),
        calls.endpoint("GET", f"{one}/apps", apps)(
            lambda call: use.apps(call.plane, call.caller, call.names, call.path["preview"], call.query(rest.Paging))
        ),
        calls.endpoint("GET", f"{one}/comparison", compared)(
            lambda call: use.compare(call.plane, call.caller, call.names, call.path["preview"], call.query(previews.ComparisonQuery))
        ),
    ]
