"""The rules of repositories, credentials and apps, before anything is stored."""

import pytest

from plane.domain import apps, tenancy
from plane.domain.judging import policy_sources


@pytest.mark.parametrize(
    "url", ["https://git.example/a/b", "https://git.example:8443/a/b.git", "ssh://git@git.example/a/b", "https://[2001:db8::1]/a"]
)
def test_a_plain_address_is_taken(url: str) -> None:
    assert tenancy.url_problem(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ext::sh -c id",
        "http://git.example/a",
        "git@git.example:a/b",
        "https://user@git.example/a",
        "https://user:canary@git.example/a",
        "ssh://git:canary@git.example/a",
        "https://git.example",
        "https://git.example/a?b=c",
        "https://git.example/a b",
        "https://git.example/a\n",
        "ssh://-oProxyCommand=canary/a",
        "https://git.example:x/a",
        "",
    ],
)
def test_any_other_address_is_refused_without_repeating_it(url: str) -> None:
    rule = tenancy.url_problem(url)
    assert rule
    assert "canary" not in rule


@pytest.mark.parametrize("address", ["http://[::1", "https://[vault", "https://vault.example:port", "http://vault.example"])
def test_a_vault_is_at_an_address_that_can_be_read(address: str) -> None:
    spec = tenancy.CredentialSpec(kind="vault", address=address, prefixes=("shop/",))
    assert tenancy.check_credential(spec, None).get("spec.address") == "must be an https:// address"


def test_two_spellings_of_a_repository_are_one() -> None:
    assert tenancy.normal_url("https://GIT.example/A/b.git/") == tenancy.normal_url("https://git.example/A/b") == "https://git.example/A/b"


@pytest.mark.parametrize("revision", ["--upload-pack=x", "a b", "a..b", "x@{1}", "", "a:b"])
def test_a_revision_that_could_be_an_option_is_refused(revision: str) -> None:
    source = apps.Source(repo_url="https://git.example/a", target_revision=revision)
    assert set(tenancy.check_app(apps.AppSpec(apps.Destination("east"), source))) == {"spec.source.targetRevision"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, ""),
        ({"target_revision": f"sha256:{'a' * 64}"}, ""),
        ({"repo_url": "oci://robot:canary@registry.example/rules"}, "repoURL"),
        ({"repo_url": "oci://registry.example/rules:v1"}, "repoURL"),
        ({"path": "rules"}, "path"),
        ({"target_revision": "HEAD"}, "targetRevision"),
        ({"target_revision": "sha256:abc"}, "targetRevision"),
    ],
)
def test_a_policy_set_in_a_registry_is_named_by_tag_or_digest_alone(change: dict[str, str], field: str) -> None:
    said = {"project": "shop", "repo_url": "oci://registry.example/rules", "target_revision": "v1"} | change
    found = tenancy.check_policy_source(policy_sources.Source(**said))
    assert list(found) == ([f"spec.source.{field}"] if field else [])
    assert "canary" not in str(found)


def test_a_repository_may_be_a_registrys_and_an_apps_source_may_not() -> None:
    url = "oci://registry.example/rules"
    assert tenancy.check_repository(tenancy.RepositorySpec(url)) == {}
    found = tenancy.check_app(apps.AppSpec(apps.Destination("east"), apps.Source(repo_url=url)))
    assert found["spec.source.repoURL"].startswith("is a registry, where policy sets may lie and apps do not")


def test_a_field_of_another_kind_of_credential_is_refused() -> None:
    spec = tenancy.CredentialSpec(kind="sops-age", username="x")
    assert set(tenancy.check_credential(spec, {"identity": "AGE-SECRET-KEY-1"})) == {"spec.username"}


def with_refs(*sources: apps.Source) -> dict[str, str]:
    return tenancy.check_app(apps.AppSpec(apps.Destination("east"), sources=sources))


def chart(*values: str, ref: str = "") -> apps.Source:
    return apps.Source("https://git.example/charts", "web", helm=apps.Helm(value_files=values), ref=ref)


def lender(ref: str, path: str = ".") -> apps.Source:
    return apps.Source("https://git.example/values", path, ref=ref)


def test_a_chart_may_take_values_from_a_source_with_a_ref() -> None:
    assert with_refs(chart("$values/web/prod.yaml", "values.yaml"), lender("values")) == {}


@pytest.mark.parametrize(
    ("sources", "field", "rule"),
    [
        ((chart("$other/a.yaml"), lender("values")), "spec.sources[0].helm.valueFiles[0]", "no source has ref: other (there is: $values)"),
        ((chart("$values/a.yaml"),), "spec.sources[0].helm.valueFiles[0]", "no source has ref: values (there is: none)"),
        ((chart("$values"), lender("values")), "spec.sources[0].helm.valueFiles[0]", "must be written $REF/path/to/values.yaml"),
        ((chart("$values/../../etc/passwd"), lender("values")), "spec.sources[0].helm.valueFiles[0]", "without `..`"),
        ((chart(), lender("a b")), "spec.sources[1].ref", "must be letters, digits"),
        ((chart(ref="v"), lender("v", "x")), "spec.sources[1].ref", "is the ref of 2 sources; each needs its own"),
        ((lender("values"),), "spec.sources", "only lend files by `ref`, so the app would have no objects"),
    ],
)
def test_a_ref_that_means_nothing_is_refused(sources: tuple[apps.Source, ...], field: str, rule: str) -> None:
    assert rule in with_refs(*sources)[field]


def test_a_sync_option_that_means_nothing_is_refused_by_its_place() -> None:
    words = ("CreateNamespace=true", "Prune=flase", "Prune")
    spec = apps.AppSpec(
        apps.Destination("east"), source=apps.Source("https://git.example/acme/shop"), sync_policy=apps.SyncPolicy(sync_options=words)
    )
    assert tenancy.check_app(spec) == {
        "spec.syncPolicy.syncOptions[1]": "says Prune=flase; use Prune=true, Prune=false or Prune=confirm",
        "spec.syncPolicy.syncOptions[2]": "must be written Name=value, for example CreateNamespace=true",
    }


def test_a_namespace_gets_no_mark_of_the_planes_own() -> None:
    wanted = apps.NamespaceMetadata(labels={"team": "shop", "gitops-plane.io/app": "a1"})
    source = apps.Source(repo_url="https://git.example/a")
    spec = apps.AppSpec(apps.Destination("east"), source, sync_policy=apps.SyncPolicy(managed_namespace_metadata=wanted))
    [(path, rule)] = tenancy.check_app(spec).items()
    assert path == "spec.syncPolicy.managedNamespaceMetadata.labels['gitops-plane.io/app']"
    assert rule == "begins with gitops-plane.io/, which the plane keeps for its own marks; remove it"


@pytest.mark.parametrize(
    ("retry", "field"),
    [
        (apps.Retry(limit=-2), "limit"),
        (apps.Retry(backoff=apps.Backoff(factor=0)), "backoff.factor"),
        (apps.Retry(backoff=apps.Backoff(duration="soon")), "backoff.duration"),
        (apps.Retry(backoff=apps.Backoff(max_duration="-1s")), "backoff.maxDuration"),
    ],
)
def test_a_retry_that_means_nothing_is_refused(retry: apps.Retry, field: str) -> None:
    source = apps.Source("https://git.example/a")
    spec = apps.AppSpec(apps.Destination("east"), source, sync_policy=apps.SyncPolicy(retry=retry))
    assert set(tenancy.check_app(spec)) == {f"spec.syncPolicy.retry.{field}"}
