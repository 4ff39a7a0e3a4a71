"""The log reaches its sinks whole, in order and at least once, however the far end behaves; the far ends are real servers over TLS."""

import base64
import datetime as dt
import gzip
import ipaddress
import json
import pathlib
import re
from collections.abc import Iterator

import msgspec
import pytest
import sqlalchemy as sa

from plane.adapters import reach
from plane.adapters.sinks import files, http, s3, syslog
from plane.domain import access, errors
from plane.domain.auditing import sinks as domain
from plane.domain.rendering import secrets
from plane.server import authorise, context, record
from plane.server import documents as generic
from plane.server.auditing import send
from plane.server.keeping import sinks
from plane.store import engine
from plane.wire import audit as wire
from plane.wire import documents, reading
from tests.server.test_audit_tampering import ADMIN, PLATFORM
from tests.support import far_ends, planes, verifying

KEY = "0123456789abcdef-hmac"
SCOPE = access.Scope(access.PLATFORM_TENANT, access.SYSTEM)


@pytest.fixture
def sender(plane: context.Plane, tmp_path: pathlib.Path) -> context.Plane:
    """A plane whose sinks may be on this machine."""
    way = reach.Reach((ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")))
    places = {
        "webhook": http.WebhookSink(way, plane.clock),
        "otlp": http.OtlpSink(way),
        "syslog": syslog.SyslogSink(way),
        "s3": s3.S3Sink(way, plane.clock),
        "file": files.FileSink(tmp_path / "audit"),
    }
    return msgspec.structs.replace(plane, sinks=places)


@pytest.fixture
def web(tmp_path: pathlib.Path) -> Iterator[far_ends.FarEnd]:
    with far_ends.http_end(tmp_path, dt.datetime.now(dt.UTC)) as end:
        yield end


def add(plane: context.Plane, owner: sa.Engine, spec: dict[str, object], data: dict[str, str] | None = None, *, name: str = "siem") -> None:
    """A sink of the platform's."""
    wish = {
        "apiVersion": "gitops-plane.io/v1", "kind": "Sink", "metadata": {"name": name}, "spec": {"fromStart": True, **spec},
    }  # fmt: skip
    made = reading.convert(wish | ({"data": data} if data else {}), documents.Sink)
    generic.create(plane, ADMIN, sinks.PLATFORM_KIND, authorise.Names(), made)
    planes.seal(plane, owner)


def write(plane: context.Plane, owner: sa.Engine, count: int, *, first: int = 0) -> None:
    with engine.begin(plane.engine, SCOPE) as tx:
        for number in range(first, first + count):
            record.append(plane, tx, SCOPE, "tenant.updated", target=f"tenant/t{number}", message=f'"quoted] {number}\n')
    planes.seal(plane, owner)


def drain(plane: context.Plane) -> None:
    while send.send(plane):
        pass


def status(plane: context.Plane) -> documents.SinkStatus:
    found = generic.get(plane, ADMIN, sinks.PLATFORM_KIND, authorise.Names(name="siem")).status
    assert isinstance(found, documents.SinkStatus)
    return found


def again(owner: sa.Engine) -> None:
    """As if the pause after a failure were over."""
    with owner.begin() as tx:
        tx.execute(sa.text("UPDATE sinks SET retry_at = now()"))


def webhook(end: far_ends.FarEnd, **more: object) -> dict[str, object]:
    return {"webhook": {"url": f"https://localhost:{end.port}/events", "caPem": end.ca_pem}, **more}


def targets(end: far_ends.FarEnd) -> list[str]:
    events = [event for got in end.requests for event in json.loads(got.body)]
    return [event["subject"] for event in events if event["type"] == "io.gitops-plane.tenant.updated"]


def sequences(end: far_ends.FarEnd) -> list[int]:
    return [int(event["sequence"]) for got in end.requests for event in json.loads(got.body) if "sequence" in event]


def test_a_webhook_gets_every_event_in_order_and_signed(sender: context.Plane, owner: sa.Engine, web: far_ends.FarEnd) -> None:
    add(sender, owner, webhook(web), {"hmacKey": KEY})
    write(sender, owner, 3)
    drain(sender)
    assert sequences(web) == [0, 1, 2, 3]
    got = web.requests[-1]
    made = http.signature(KEY.encode(), got.headers["webhook-id"], got.headers["webhook-timestamp"], got.body)
    assert got.headers["webhook-signature"] == f"v1,{made}"
    assert json.loads(got.body)[-1]["type"] == "io.gitops-plane.audit.checkpoint"
    assert (status(sender).behind, status(sender).failures) == (0, 0)


def test_what_piles_up_while_a_sink_is_down_comes_later_without_a_gap(
    sender: context.Plane, owner: sa.Engine, web: far_ends.FarEnd
) -> None:
    add(sender, owner, webhook(web), {"hmacKey": KEY})
    web.answer = lambda _: (503, b"down for maintenance")
    write(sender, owner, 5)
    drain(sender)
    assert (status(sender).behind, status(sender).failures) == (6, 1)
    assert "answered 503: 'down for maintenance'" in status(sender).problem
    web.answer = lambda _: (200, b"")
    write(sender, owner, 2, first=5)
    drain(sender)
    assert web.requests == []  # it waits before it tries again
    again(owner)
    drain(sender)
    assert sequences(web) == list(range(8))


def test_a_worker_that_dies_after_sending_sends_again_and_nothing_is_lost(
    sender: context.Plane, owner: sa.Engine, web: far_ends.FarEnd
) -> None:
    add(sender, owner, webhook(web), {"hmacKey": KEY})
    write(sender, owner, 2)
    spec = reading.convert(webhook(web), domain.SinkSpec)
    with engine.begin(sender.engine, SCOPE) as tx:
        batch = send._read(tx, SCOPE.tenant, 0)  # noqa: SLF001 - what the dead worker had at hand
    assert batch
    sender.sinks["webhook"].send(spec, {"hmacKey": secrets.Secret(KEY.encode())}, batch)  # and it died before it could note it
    drain(sender)
    assert sequences(web) == [0, 1, 2, 0, 1, 2]
    assert len({event["id"] for got in web.requests for event in json.loads(got.body) if "sequence" in event}) == 3


def test_an_event_that_the_far_end_will_not_have_holds_up_no_other(sender: context.Plane, owner: sa.Engine, web: far_ends.FarEnd) -> None:
    add(sender, owner, webhook(web), {"hmacKey": KEY})
    write(sender, owner, 6)
    web.answer = lambda got: (422, b"too odd") if b"tenant/t3" in got.body else (200, b"")
    drain(sender)
    assert sorted(targets(web)) == [f"tenant/t{number}" for number in (0, 1, 2, 4, 5)]
    identities = [got.headers["webhook-id"] for got in web.requests]
    assert (
        len(set(identities)) == len(identities) > 1
    )  # receivers pass over an id that they know: the parts of a batch are messages of their own
    assert (status(sender).refused, status(sender).behind) == (1, 0)
    assert "answered 422: 'too odd'" in sinks.refused(sender, ADMIN, authorise.Names(name="siem")).items[0].reason
    web.answer, web.requests = (lambda _: (200, b"")), []
    sinks.replay(sender, ADMIN, authorise.Names(name="siem"), wire.Replay(position=0))
    drain(sender)
    assert "tenant/t3" in targets(web)
    assert status(sender).refused == 0


def test_only_the_wanted_types_are_sent(sender: context.Plane, owner: sa.Engine, web: far_ends.FarEnd) -> None:
    add(sender, owner, webhook(web, types=["tenant.*"]), {"hmacKey": KEY})
    write(sender, owner, 2)
    drain(sender)
    assert len(sequences(web)) == 2
    assert status(sender).behind == 0


def test_a_far_end_with_another_certificate_gets_nothing(
    sender: context.Plane, owner: sa.Engine, web: far_ends.FarEnd, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "other").mkdir()
    _, other = far_ends.trust(tmp_path / "other", dt.datetime.now(dt.UTC))
    add(sender, owner, {"webhook": {"url": f"https://localhost:{web.port}/", "caPem": other}}, {"hmacKey": KEY})
    drain(sender)
    assert "certificate" in status(sender).problem.lower()
    assert web.requests == []


def test_an_address_inside_the_network_is_refused_unless_allowed(sender: context.Plane, owner: sa.Engine, web: far_ends.FarEnd) -> None:
    outside = msgspec.structs.replace(sender, sinks={"webhook": http.WebhookSink(reach.Reach(), sender.clock)})
    add(outside, owner, webhook(web), {"hmacKey": KEY})
    drain(outside)
    assert "which is not public" in status(sender).problem


def test_syslog_gets_framed_messages_over_tls(sender: context.Plane, owner: sa.Engine, tmp_path: pathlib.Path) -> None:
    with far_ends.syslog_end(tmp_path, dt.datetime.now(dt.UTC)) as end:
        add(sender, owner, {"syslog": {"host": "localhost", "port": end.port, "caPem": end.ca_pem}})
        write(sender, owner, 3)
        drain(sender)
        messages = list(unframed(end.text))
    assert len(messages) == 4
    pattern = rb'<110>1 \S+Z test-plane gitops-plane - tenant\.updated \[gitops-plane@32473 seq="\d" .*?\] \xef\xbb\xbf\{.*\}'
    assert sum(bool(re.fullmatch(pattern, message)) for message in messages) == 3


def unframed(text: bytes) -> Iterator[bytes]:
    """RFC 6587 section 3.4.1."""
    while text:
        length, _, text = text.partition(b" ")
        yield text[: int(length)]
        text = text[int(length) :]


def test_a_collector_gets_log_records(sender: context.Plane, owner: sa.Engine, web: far_ends.FarEnd) -> None:
    add(
        sender,
        owner,
        {"otlp": {"url": f"https://localhost:{web.port}", "caPem": web.ca_pem}},
        {"bearer": "let-me-in", "header": "DD-API-KEY: key"},
    )
    write(sender, owner, 1)
    drain(sender)
    got = web.requests[-1]
    records = json.loads(got.body)["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert (got.path, got.headers["authorization"], records[-1]["eventName"]) == ("/v1/logs", "Bearer let-me-in", "tenant.updated")
    assert got.headers["dd-api-key"] == "key"


def test_objects_in_a_bucket_are_verified_one_by_one(sender: context.Plane, owner: sa.Engine, web: far_ends.FarEnd) -> None:
    place = {"endpoint": f"https://localhost:{web.port}", "bucket": "audit", "prefix": "plane", "lockDays": 400, "caPem": web.ca_pem}
    add(sender, owner, {"s3": place}, {"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "secret"})
    write(sender, owner, 3)
    drain(sender)
    got = web.requests[-1]
    assert re.fullmatch(rf"/audit/plane/test-plane/{access.PLATFORM_TENANT}/\d+/\d+/\d+/\d{{12}}-\d{{12}}\.jsonl\.gz", got.path)
    assert got.headers["x-amz-object-lock-mode"] == "COMPLIANCE"
    assert got.headers["x-amz-checksum-sha256"] == base64.b64encode(bytes.fromhex(got.headers["x-amz-content-sha256"])).decode()
    report = verifying.verified(gzip.decompress(got.body).decode().splitlines(), part=True)
    assert report.findings == []
    assert report.events >= 3


def test_a_bucket_that_refuses_a_batch_gets_it_whole_later(sender: context.Plane, owner: sa.Engine, web: far_ends.FarEnd) -> None:
    place = {"endpoint": f"https://localhost:{web.port}", "bucket": "audit", "caPem": web.ca_pem}
    add(sender, owner, {"s3": place}, {"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "secret"})
    write(sender, owner, 3)
    web.answer = lambda got: (413, b"too large") if len(gzip.decompress(got.body).splitlines()) > 3 else (200, b"")
    drain(sender)
    assert ([got.path for got in web.requests], status(sender).failures, status(sender).refused) == ([], 1, 0)
    assert "answered 413: 'too large'" in status(sender).problem
    web.answer = lambda _: (200, b"")
    again(owner)
    drain(sender)
    report = verifying.verified(gzip.decompress(web.requests[-1].body).decode().splitlines(), part=True)
    assert (report.findings, report.events, status(sender).behind) == ([], 4, 0)


def test_a_file_is_rotated_and_each_part_is_verified(sender: context.Plane, owner: sa.Engine, tmp_path: pathlib.Path) -> None:
    add(sender, owner, {"file": {"rotateBytes": 4096, "keep": 3}})
    for number in range(6):
        write(sender, owner, 8, first=number * 8)
        drain(sender)
    parts = sorted((tmp_path / "audit").glob("*.jsonl"))
    assert len(parts) == 4
    assert [verifying.verified(part.read_text().splitlines(), part=True).findings for part in parts] == [[]] * 4


def test_a_file_torn_anywhere_is_mended_and_holds_nothing_twice(sender: context.Plane, owner: sa.Engine, tmp_path: pathlib.Path) -> None:
    add(sender, owner, {"file": {}})
    for number in range(3):
        write(sender, owner, 2, first=number * 2)
    drain(sender)
    [file] = (tmp_path / "audit").glob("*.jsonl")
    whole = file.read_bytes()
    different = []
    for cut in range(0, len(whole), 1 + len(whole) // 25):
        file.write_bytes(whole[:cut])
        with owner.begin() as tx:
            tx.execute(sa.text("UPDATE sinks SET position = 0"))  # what was sent was not noted
        drain(sender)
        lines = file.read_text().splitlines()
        places = [json.loads(line)["event"]["seq"] for line in lines if line.startswith('{"event"')]
        if places != list(range(7)) or verifying.verified(lines, part=True).findings:
            different.append(cut)
    assert different == []


def test_a_tenants_sink_gets_no_file_and_no_plain_http(fleet: planes.Fleet) -> None:
    problems = domain.check(reading.convert({"file": {}}, domain.SinkSpec), platform=False)
    assert "for the platform alone" in problems["spec.file"]
    assert domain.check(reading.convert({"webhook": {"url": "http://x"}}, domain.SinkSpec), platform=True)


def test_changes_are_refused_while_a_mandatory_sink_is_too_far_behind(
    sender: context.Plane, owner: sa.Engine, web: far_ends.FarEnd
) -> None:
    add(sender, owner, webhook(web, mandatory=True, blockEvents=2), {"hmacKey": KEY})
    web.answer = lambda _: (500, b"")
    write(sender, owner, 4)
    drain(sender)
    assert send.judge(sender) == 1
    with pytest.raises(authorise.LogBlocked, match="mandatory sink 'siem'"), authorise.enter(sender, ADMIN, PLATFORM, "tenant:create"):
        pass
    with authorise.enter(sender, ADMIN, PLATFORM, "tenant:get"), authorise.enter(sender, ADMIN, PLATFORM, "sink:update"):
        pass
    web.answer = lambda _: (200, b"")
    planes.seal(sender, owner)
    again(owner)
    drain(sender)
    assert send.judge(sender) == 1
    with authorise.enter(sender, ADMIN, PLATFORM, "tenant:create"):
        pass
    planes.seal(sender, owner)
    with owner.begin() as tx:
        types = tx.execute(sa.text("SELECT type FROM audit_leaves WHERE type LIKE 'audit.mode.%' ORDER BY seq")).scalars().all()
    assert types == ["audit.mode.blocked", "audit.mode.opened"]


def test_a_sinks_secrets_are_never_given_back_and_do_not_move_with_it(
    sender: context.Plane, owner: sa.Engine, web: far_ends.FarEnd
) -> None:
    add(sender, owner, webhook(web), {"hmacKey": KEY})
    found = generic.get(sender, ADMIN, sinks.PLATFORM_KIND, authorise.Names(name="siem"))
    assert KEY not in msgspec.json.encode(found).decode()
    moved = {"webhook": {"url": "https://elsewhere.example/"}}
    wish = {"apiVersion": "gitops-plane.io/v1", "kind": "Sink", "metadata": {"name": "siem"}, "spec": moved}
    with pytest.raises(errors.Invalid, match="another place, needs its secrets"):
        generic.replace(sender, ADMIN, sinks.PLATFORM_KIND, authorise.Names(name="siem"), reading.convert(wish, documents.Sink))


def test_requests_to_a_bucket_are_signed_as_its_maker_documents() -> None:
    """The examples of AWS's page on header-based signatures: GET and PUT of one object."""
    keys = s3.Keys("AKIAIOSFODNN7EXAMPLE", b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
    now = dt.datetime(2013, 5, 24, tzinfo=dt.UTC)
    host = "https://examplebucket.s3.amazonaws.com"
    got = s3.signed("GET", f"{host}/test.txt", {"Range": "bytes=0-9"}, b"", keys=keys, now=now)
    assert got["authorization"].endswith("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    given = {"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"}
    put = s3.signed("PUT", f"{host}/test%24file.text", given, b"Welcome to Amazon S3.", keys=keys, now=now)
    assert put["authorization"].endswith("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
