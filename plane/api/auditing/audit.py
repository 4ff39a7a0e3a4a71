"""The audit log: its events, files of them, and its proofs; a tenant's own and the platform's."""

import importlib
import types
from collections.abc import Callable, Iterator
from typing import Any

from litestar import get
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from plane.adapters import ahead, compressing
from plane.api import calls
from plane.api.auditing import audit_stream
from plane.domain import errors
from plane.domain.auditing import audit
from plane.server.auditing import audit_log, exports, retention, standing, witness
from plane.server.keeping import sinks
from plane.wire import audit as wire
from plane.wire import documents, rest

MEDIA: dict[wire.Format, str] = {
    "jsonl": "application/jsonl",
    "ocsf": "application/jsonl",
    "cloudevents": "application/jsonl",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "manifest": "application/jsonl",
}
Json = dict[str, Any]


def handlers() -> list[HTTPRouteHandler]:
    """Below /api/v1."""
    return [*_at("/tenants/{tenant}", ""), *_at("", "platform_"), _standing("/tenants/{tenant}/audit/at")]


def _standing(path: str) -> HTTPRouteHandler:
    answer, summary = rest.Page[wire.Standing], "How apps stood at a time, and which events say so."
    doc = calls.Doc(answer=answer, summary=summary, query=wire.StandingQuery, tag="audit", operation="audit_standing")
    return calls.endpoint("GET", path, doc)(
        lambda call: standing.standing(call.plane, call.caller, call.names, call.query(wire.StandingQuery))
    )


def _at(above: str, prefix: str) -> list[HTTPRouteHandler]:
    return [
        *_reading(f"{above}/audit", prefix),
        *_life(above, prefix),
        *_witness(f"{above}/audit/witness", prefix),
        _export(f"{above}/audit/export", prefix),
        *_sinks(f"{above}/sinks/{{sink}}", prefix),
        audit_stream.handler(f"{above}/audit/events", prefix),
    ]


def _life(above: str, prefix: str) -> list[HTTPRouteHandler]:
    def doc(answer: Any, operation: str, summary: str, body: Any = None) -> calls.Doc:  # noqa: ANN401 - types as values
        return calls.Doc(answer=answer, summary=summary, body=body, tag="audit", operation=prefix + operation)

    erased = doc(rest.Deleted, "erase_person", "Forget what is personal in somebody's events.")
    authors = doc(wire.ErasedAuthors, "erase_authors", "Forget who wrote and committed commits.", wire.Authors)
    return [
        calls.endpoint("POST", f"{above}/audit/erase", authors)(
            lambda call: retention.erase_authors(call.plane, call.caller, call.names, call.read(wire.Authors))
        ),
        calls.endpoint("GET", f"{above}/audit/terms", doc(wire.Terms, "get_audit_terms", "How long events stay."))(
            lambda call: retention.terms(call.plane, call.caller, call.names)
        ),
        calls.endpoint("PUT", f"{above}/audit/terms", doc(wire.Terms, "put_audit_terms", "Change that, or hold all.", wire.Terms))(
            lambda call: retention.govern(call.plane, call.caller, call.names, call.read(wire.Terms))
        ),
        calls.endpoint("POST", f"{above}/people/{{person}}/erase", erased)(
            lambda call: retention.erase(call.plane, call.caller, call.names)
        ),
    ]


def _witness(path: str, prefix: str) -> list[HTTPRouteHandler]:
    held = calls.Doc(
        answer=wire.Witnessed, summary="Witness another plane's log.", body=wire.Witness, tag="audit", operation=f"{prefix}witness_log"
    )
    shown = calls.Doc(
        answer=rest.Page[wire.Witnessed], summary="The logs this plane is a witness of.", tag="audit", operation=f"{prefix}list_witnessed"
    )
    return [
        calls.endpoint("POST", path, held)(lambda call: witness.witness(call.plane, call.caller, call.names, call.read(wire.Witness))),
        calls.endpoint("GET", path, shown)(lambda call: witness.states(call.plane, call.caller, call.names)),
    ]


def _sinks(one: str, prefix: str) -> list[HTTPRouteHandler]:
    again = calls.Doc(
        answer=documents.Sink, summary="Send again from a place on.", body=wire.Replay, tag="sinks", operation=f"{prefix}replay_sink"
    )
    dead = calls.Doc(
        answer=rest.Page[wire.RefusedEvent],
        summary="Events that the far end would not have.",
        tag="sinks",
        operation=f"{prefix}sink_refused",
    )
    return [
        calls.endpoint("POST", f"{one}/replay", again)(
            lambda call: sinks.replay(call.plane, call.caller, call.names, call.read(wire.Replay))
        ),
        calls.endpoint("GET", f"{one}/refused", dead)(lambda call: sinks.refused(call.plane, call.caller, call.names)),
    ]


def _reading(above: str, prefix: str) -> list[HTTPRouteHandler]:
    def doc(answer: Any, operation: str, summary: str, query: Any = None) -> calls.Doc:  # noqa: ANN401 - types as values
        return calls.Doc(answer=answer, summary=summary, query=query, tag="audit", operation=prefix + operation)

    def made(path: str, doc_: calls.Doc, work: Callable[[calls.Call], Any]) -> HTTPRouteHandler:
        return calls.endpoint("GET", above + path, doc_)(work)

    return [
        made(
            "",
            doc(rest.Page[audit.Sealed], "list_audit", "Sealed events in order of their places.", wire.Query),
            lambda call: audit_log.page(call.plane, call.caller, call.names, call.query(wire.Query)),
        ),
        made(
            "/checkpoint",
            doc(wire.Checkpoint, "get_audit_checkpoint", "The newest signed state of the log."),
            lambda call: audit_log.checkpoint(call.plane, call.caller, call.names),
        ),
        made(
            "/inclusion",
            doc(wire.Inclusion, "prove_audit_event", "That an event lies in the log.", wire.InclusionQuery),
            lambda call: audit_log.inclusion(call.plane, call.caller, call.names, call.query(wire.InclusionQuery)),
        ),
        made(
            "/consistency",
            doc(wire.Consistency, "prove_audit_log", "That the log continues an older state of itself.", wire.ConsistencyQuery),
            lambda call: audit_log.consistency(call.plane, call.caller, call.names, call.query(wire.ConsistencyQuery)),
        ),
        made(
            "/check",
            doc(wire.Check, "check_audit_log", "What only the database shows: rows without a place.", wire.CheckQuery),
            lambda call: audit_log.check(call.plane, call.caller, call.names, call.query(wire.CheckQuery)),
        ),
    ]


def _export(path: str, prefix: str) -> HTTPRouteHandler:
    doc = calls.Doc(
        answer=str,
        summary="Events as a file: JSON lines with checkpoints and a manifest that prove them, or another format.",
        query=wire.Export,
        media_type="application/jsonl",
        tag="audit",
    )

    @get(calls.typed(path), opt={"doc": doc}, name=f"{prefix}export_audit")
    async def export(call: NamedDependency[calls.Call]) -> Stream:
        query = call.query(wire.Export)
        if query.format == "parquet":
            _parquet(query)
        stretch = await sync_to_thread(exports.plan, call.plane, call.caller, call.names, query)
        text = ahead.ahead(compressing.compressed(_text(call, stretch, query), query.compression))
        return Stream(
            text, media_type=MEDIA[query.format] if query.compression == "none" else "application/octet-stream", headers=_headers(stretch)
        )

    return export


def _text(call: calls.Call, stretch: exports.Stretch, query: wire.Export) -> Iterator[bytes]:
    if query.format == "manifest":
        return exports.manifest(stretch)
    if query.format == "jsonl":
        return ahead.ahead(exports.lines(call.plane, call.caller, call.names, stretch, resume=query.resume))
    rows = ahead.ahead(exports.events(call.plane, call.caller, call.names, stretch, resume=query.resume))
    if query.format == "parquet":
        pieces: Iterator[bytes] = _parquet(query).written(rows)
        return pieces
    return exports.written(rows, form=query.format, origin=stretch.end.origin if stretch.end else "", resumed=query.resume > 0)


def _parquet(query: wire.Export) -> types.ModuleType:
    """What writes it, an extra of its own that few installations have; Invalid where it is not there, or what it cannot."""
    if query.compression != "none" or query.resume:
        raise errors.Invalid({"compression" if query.compression != "none" else "resume": "is not for parquet, which compresses by itself"})
    try:
        return importlib.import_module("plane.adapters.parquet")
    except ModuleNotFoundError as e:
        way_out = "install gitops-plane[parquet] where the server runs, or take csv or jsonl"
        raise errors.Invalid({"format": f"parquet needs pyarrow, and this server has none: {way_out}"}) from e


def _headers(stretch: exports.Stretch) -> dict[str, str]:
    """What a client needs to show progress, and to go on after a break."""
    found = stretch.manifest
    return {"Audit-Events": str(found.events if found else 0), "Audit-End": str(found.end if found else 0)}
