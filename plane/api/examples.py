"""Examples for the OpenAPI document, written as people would send them; a test reads each with the type it stands for."""

from typing import Any

from plane.wire import audit, documents, granting, local, login, ordered, people, planned, previews, rest

_HEAD = {"apiVersion": documents.API_VERSION}
_PLACE = {"tenant": "acme", "project": "shop"}
_IMAGES = """# METADATA
# title: Images are pinned
# description: Without a digest, what runs may be another image tomorrow.
# custom: {id: X01, severity: high, remedy: Name the image by its digest.}
package plane.rules.pinned

import data.plane.lib

about := lib.about(rego.metadata.chain())

violations contains {"message": message} if {
	some container in lib.containers(input.manifest)
	not contains(lib.field(container.spec, "image", ""), "@sha256:")
	message := sprintf("%s has no digest", [lib.named(container)])
}
"""
_OBJECT = {"group": "apps", "kind": "Deployment", "namespace": "shop-web", "name": "web"}

EXAMPLES: dict[Any, Any] = {
    audit.Witness: {
        "key": "plane-east/acme+11111111+ARERERERERERERERERERERERERERERERERERERERERER",
        "note": "plane-east/acme\n7\nERERERERERERERERERERERERERERERERERERERERERE=\n\n\u2014 plane-east/acme ERERERERERER\n",
        "old": 0,
        "proof": [],
    },
    documents.Tenant: {**_HEAD, "kind": "Tenant", "metadata": {"name": "acme"}, "spec": {"description": "The web shop's people"}},
    documents.Project: {
        **_HEAD,
        "kind": "Project",
        "metadata": {"name": "shop", "tenant": "acme"},
        "spec": {"sourceRepos": ["https://git.example/acme/*"], "destinations": [{"cluster": "prod-*", "namespace": "shop-*"}]},
    },
    documents.Cluster: {
        **_HEAD,
        "kind": "Cluster",
        "metadata": {"name": "prod-eu"},
        "spec": {"labels": {"env": "prod"}, "grants": [{"tenant": "acme", "namespaces": ["shop-*"]}]},
    },
    documents.Repository: {
        **_HEAD,
        "kind": "Repository",
        "metadata": {"name": "deploy", **_PLACE},
        "spec": {"url": "https://git.example/acme/deploy.git", "credential": "deploy-token"},
    },
    documents.Credential: {
        **_HEAD,
        "kind": "Credential",
        "metadata": {"name": "deploy-token", **_PLACE},
        "spec": {"kind": "git-password", "username": "plane"},
        "data": {"password": "written, never read back"},
    },
    documents.App: {
        **_HEAD,
        "kind": "App",
        "metadata": {"name": "web", **_PLACE, "labels": {"tier": "front"}},
        "spec": {
            "source": {"repoURL": "https://git.example/acme/deploy.git", "path": "web/overlays/prod", "targetRevision": "main"},
            "destination": {"cluster": "prod-eu", "namespace": "shop-web"},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}, "syncOptions": ["CreateNamespace=true"]},
        },
    },
    documents.PolicySet: {
        **_HEAD,
        "kind": "PolicySet",
        "metadata": {"name": "images", "tenant": "acme"},
        "spec": {"mode": "deny", "rules": {"X01": "warn"}},
        "files": {"images.rego": _IMAGES},
    },
    documents.PolicyBinding: {
        **_HEAD,
        "kind": "PolicyBinding",
        "metadata": {"name": "production", "tenant": "acme"},
        "spec": {"policySet": "platform/house", "mode": "deny", "clusters": "env=prod", "rules": {"I03": "require-approval"}},
    },
    previews.NewPreview: {
        "binding": {"policySet": "platform/house", "clusters": "env=prod"},
        "mode": "deny",
    },
    documents.Waiver: {
        **_HEAD,
        "kind": "Waiver",
        "metadata": {"name": "node-agent", **_PLACE},
        "spec": {
            "policy": "platform/house",
            "rule": "W01",
            "apps": ["node-agent"],
            "reason": "The agent reads the node's counters",
            "ticket": "OPS-1742",
            "expiresAt": "2099-01-01T00:00:00Z",
        },
    },
    documents.HealthCheck: {
        **_HEAD,
        "kind": "HealthCheck",
        "metadata": {"name": "widgets", "tenant": "acme"},
        "spec": {
            "group": "x.example",
            "kind": "Widget",
            "cel": {"current": "status.phase == 'Ready'", "failed": "status.phase == 'Failed'"},
        },
    },
    documents.Sink: {
        **_HEAD,
        "kind": "Sink",
        "metadata": {"name": "siem", "tenant": "acme"},
        "spec": {"webhook": {"url": "https://siem.example/events"}, "types": ["app.sync.*"]},
        "data": {"hmacKey": "written, never read back"},
    },
    documents.IdentityProvider: {
        **_HEAD,
        "kind": "IdentityProvider",
        "metadata": {"name": "okta", "tenant": "acme"},
        "spec": {"title": "Okta", "issuer": "https://acme.okta.example", "clientId": "plane", "scopes": ["openid", "profile", "groups"]},
        "data": {"clientSecret": "written, never read back"},
    },
    documents.WorkloadTrust: {
        **_HEAD,
        "kind": "WorkloadTrust",
        "metadata": {"name": "deploy", "tenant": "acme"},
        "spec": {
            "issuer": "https://token.actions.githubusercontent.com",
            "audience": "https://plane.example",
            "claims": {"repository_id": "8675309", "ref": "refs/heads/main"},
            "service": "ci",
            "scopes": ["app:get", "app:sync"],
        },
    },
    documents.ResourceRule: {
        **_HEAD,
        "kind": "ResourceRule",
        "metadata": {"name": "webhooks"},
        "spec": {
            "ignoreDifferences": [
                {"group": "admissionregistration.k8s.io", "kind": "*", "jsonPointers": ["/webhooks/0/clientConfig/caBundle"]}
            ],
            "exclusions": [{"apiGroups": ["cilium.io"], "kinds": ["CiliumIdentity"]}],
        },
    },
    documents.User: {
        **_HEAD,
        "kind": "User",
        "metadata": {"name": "ana", "tenant": "acme"},
        "spec": {"description": "Ana"},
    },
    documents.Role: {
        **_HEAD,
        "kind": "Role",
        "metadata": {"name": "restarter", "tenant": "acme"},
        "spec": {"permissions": ["app:get", "app:sync", "action:apps/*/restart"]},
    },
    documents.RoleBinding: {
        **_HEAD,
        "kind": "RoleBinding",
        "metadata": {"name": "shop-editors", "tenant": "acme"},
        "spec": {"role": "editor", "project": "shop", "subjects": [{"kind": "User", "name": "ana"}]},
    },
    rest.Sync: {"prune": True},
    planned.KeepPlan: {"name": "before-lunch", "prune": True},
    local.LocalSync: {"prune": True, "files": {"web.yaml": "a2luZDogQ29uZmlnTWFw"}},
    local.LocalDiff: {"files": {"web.yaml": "a2luZDogQ29uZmlnTWFw"}},
    rest.Rollback: {"number": 7},
    rest.NewHold: {"reason": "The database is being moved", "owner": "ana"},
    ordered.RunAction: {**_OBJECT, "action": "scale", "parameters": {"replicas": "3"}},
    ordered.PatchObject: {**_OBJECT, "patch": {"spec": {"replicas": 3}}, "dryRun": True},
    ordered.DeleteObject: {**_OBJECT, "propagation": "foreground"},
    rest.Refresh: {"hard": False},
    audit.Replay: {"position": 4711},
    audit.Authors: {"authors": ["Ana Lopez"]},
    granting.Break: {"reason": "The database of the shop is down", "minutes": 60},
    people.NewPerson: {"name": "ana", "kind": "user"},
    people.NewRole: {"role": "editor", "project": "shop"},
    people.NewToken: {"name": "laptop", "days": 90, "scopes": ["app:get", "app:sync"], "networks": ["192.0.2.0/24"]},
    login.Begin: {"back": "http://127.0.0.1:8000/", "challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"},
    login.End: {"code": "what-the-browser-brought-back", "verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
    login.DeviceEnd: {"handle": "what-the-first-answer-held"},
    login.Exchange: {"rule": "deploy", "token": "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl"},
    login.Local: {"name": "admin", "password": "correct horse battery staple"},
    login.NewPassword: {"current": "correct horse battery staple", "new": "four other words altogether"},
    people.Rotate: {"days": 90, "overlapHours": 24},
}
