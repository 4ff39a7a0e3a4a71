"""Charts and kustomizations as teams write them turn into running objects."""

from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.support import waiting

CHART = b"apiVersion: v2\nname: web\nversion: 1.0.0\n"
TEMPLATE = b"""apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data: {greeting: {{ required "greeting must be set" .Values.greeting | quote }}, tier: {{ .Values.tier | quote }}}
"""


def chart(**more: bytes) -> dict[str, bytes]:
    """A chart `web` and values files beside it."""
    files = {"web/Chart.yaml": CHART, "web/values.yaml": b"tier: plain\n", "web/templates/config.yaml": TEMPLATE}
    files["web/templates/deployment.yaml"] = sources.deployment(name="web")
    return files | {f"{name}.yaml": text for name, text in more.items()}


def source(url: str, **tool: object) -> dict[str, object]:
    """The folder `web` with a tool's settings."""
    return {"repoURL": url, "path": "web", "targetRevision": "main"} | tool


def data(app: e2e.App, name: str = "web") -> object:
    """What the ConfigMap holds."""
    return sources.live(app.tenant, f"/api/v1/namespaces/{app.namespace}/configmaps/{name}").get("data")


def test_a_chart_takes_values_files_inline_values_and_parameters_in_their_order(tenant: e2e.Tenant) -> None:
    url = tenant.repository(tenant.name, chart(prod=b"greeting: from file\ntier: file\n"))
    helm = {"valueFiles": ["../prod.yaml"], "values": "tier: inline\n", "parameters": [{"name": "greeting", "value": "from parameter"}]}
    app = tenant.app("web", url, source=source(url, helm=helm))
    app.healthy()
    assert data(app) == {"greeting": "from parameter", "tier": "inline"}


def test_a_push_to_a_values_file_beside_the_chart_reaches_the_cluster(tenant: e2e.Tenant) -> None:
    url = tenant.repository(tenant.name, chart(prod=b"greeting: one\n"))
    app = tenant.app("web", url, source=source(url, helm={"valueFiles": ["../prod.yaml"]}))
    app.healthy()
    tenant.install.git.commit(tenant.name, {"prod.yaml": b"greeting: two\n"}, "Two")
    app.refresh()
    waiting.until(lambda: data(app) == {"greeting": "two", "tier": "plain"}, lambda: str(app.explain()))


def test_a_chart_that_does_not_render_is_told_with_helms_words_and_no_value(tenant: e2e.Tenant) -> None:
    url = tenant.repository(tenant.name, chart())
    app = tenant.app("web", url, source=source(url, helm={"values": "password: hunter2-of-chart\n"}))
    told = app.says("source-failed", "web/templates/config.yaml", "greeting must be set")
    assert told["since"]
    assert "hunter2" not in str(told)


def test_a_chart_that_stops_rendering_leaves_what_runs(tenant: e2e.Tenant) -> None:
    url = tenant.repository(tenant.name, chart(prod=b"greeting: good\n"))
    app = tenant.app("web", url, source=source(url, helm={"valueFiles": ["../prod.yaml"]}))
    app.healthy()
    tenant.install.git.commit(tenant.name, {"web/templates/config.yaml": TEMPLATE.replace(b"| quote }}}", b"| quoted }}}")}, "Break it")
    app.refresh()
    app.says("source-failed", "web/templates/config.yaml", "quoted")
    assert data(app) == {"greeting": "good", "tier": "plain"}


def kustomization(patch: str = "patched") -> dict[str, bytes]:
    """A base and an overlay `web`."""
    return {
        "base/config.yaml": sources.config("from base"),
        "base/deployment.yaml": sources.deployment(),
        "base/kustomization.yaml": b"resources: [config.yaml, deployment.yaml]\n",
        "web/kustomization.yaml": b"resources: [../base]\nnamePrefix: prod-\npatches: [{path: patch.yaml}]\n",
        "web/patch.yaml": sources.config(patch),
    }


def test_an_overlay_is_laid_over_its_base(tenant: e2e.Tenant) -> None:
    url = tenant.repository(tenant.name, kustomization())
    app = tenant.app("web", url)
    app.healthy()
    assert data(app, "prod-web") == {"greeting": "patched"}
    assert sources.live(tenant, f"/apis/apps/v1/namespaces/{app.namespace}/deployments/prod-web")


def test_a_push_to_the_base_reaches_the_overlay(tenant: e2e.Tenant) -> None:
    url = tenant.repository(tenant.name, kustomization())
    app = tenant.app("web", url)
    app.healthy()
    tenant.install.git.commit(tenant.name, {"base/extra.yaml": sources.config("new", name="extra")}, "An object")
    tenant.install.git.commit(tenant.name, {"base/kustomization.yaml": b"resources: [config.yaml, deployment.yaml, extra.yaml]\n"}, "In")
    app.refresh()
    waiting.until(lambda: data(app, "prod-extra") == {"greeting": "new"}, lambda: str(app.explain()))


def test_an_image_named_in_the_app_replaces_the_one_in_git(tenant: e2e.Tenant) -> None:
    url = tenant.repository(tenant.name, kustomization())
    app = tenant.app("web", url, source=source(url, kustomize={"images": ["registry.example/web:7"]}))
    app.healthy()
    assert "registry.example/web:7" in str(sources.live(tenant, f"/apis/apps/v1/namespaces/{app.namespace}/deployments/prod-web"))


def test_a_kustomization_that_names_a_missing_file_is_told(tenant: e2e.Tenant) -> None:
    files = kustomization() | {"web/kustomization.yaml": b"resources: [../base, absent.yaml]\n"}
    app = tenant.app("web", tenant.repository(tenant.name, files))
    assert app.says("source-failed", "web/kustomization.yaml", "absent.yaml")["since"]


def test_a_chart_takes_its_values_from_another_repository_and_follows_both(tenant: e2e.Tenant) -> None:
    values = f"{tenant.name}-values"
    lent = tenant.repository(values, {"web/prod.yaml": b"greeting: one\n"})
    chart_source = source(tenant.repository(tenant.name, chart()), helm={"valueFiles": ["$team/web/prod.yaml"]})
    place = {"cluster": "east", "namespace": f"{tenant.name}-web"}
    automated = {"automated": {"prune": True}, "syncOptions": ["CreateNamespace=true"]}
    both = [chart_source, {"repoURL": lent, "targetRevision": "main", "ref": "team"}]
    tenant.put("App", "apps", "web", spec={"sources": both, "destination": place, "syncPolicy": automated})
    app = e2e.App(tenant, "web")
    app.healthy()
    assert data(app) == {"greeting": "one", "tier": "plain"}
    tenant.install.git.commit(values, {"web/prod.yaml": b"greeting: two\n"}, "Two")
    app.refresh()
    waiting.until(lambda: data(app) == {"greeting": "two", "tier": "plain"}, lambda: str(app.explain()))
