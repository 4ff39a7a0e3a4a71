# METADATA
# title: Roles do not hand out more than they hold
# description: >-
#   These rights are as good as cluster-admin, or as good as any account in the namespace: rights about rights,
#   tokens, nodes, other people's containers and secrets.
# custom:
#   id: B02
#   severity: critical
#   category: rbac
#   remedy: Remove the rule, or name the single objects in resourceNames where that is possible.
#   references:
#     - CIS Kubernetes 5.1.2
#     - CIS Kubernetes 5.1.8
#     - CIS Kubernetes 5.1.10
#     - CIS Kubernetes 5.1.11
#     - CIS Kubernetes 5.1.13
#   parameters:
#     allowed:
#       description: Rights that are allowed after all, written as in the message, such as get secrets.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.rbac_escalation

import data.plane.lib
import data.plane.lib.rbac

about := lib.about(rego.metadata.chain())

changing := {"create", "update", "patch"}

reading := {"get", "list", "watch"}

# group, resource, verbs
dangerous := [
	["rbac.authorization.k8s.io", "roles", {"escalate", "bind"}],
	["rbac.authorization.k8s.io", "clusterroles", {"escalate", "bind"}],
	["", "users", {"impersonate"}],
	["", "groups", {"impersonate"}],
	["", "serviceaccounts", {"impersonate"}],
	["", "nodes/proxy", (reading | changing)],
	["", "serviceaccounts/token", {"create"}],
	["", "pods/exec", {"create", "get"}],
	["", "pods/attach", {"create", "get"}],
	["", "pods/ephemeralcontainers", {"update", "patch"}],
	["", "secrets", {"list", "watch"}],
	["", "persistentvolumes", {"create"}],
	["certificates.k8s.io", "certificatesigningrequests/approval", {"update", "patch"}],
	["certificates.k8s.io", "signers", {"approve", "sign"}],
	["admissionregistration.k8s.io", "mutatingwebhookconfigurations", changing],
	["admissionregistration.k8s.io", "validatingwebhookconfigurations", changing],
]

release_violations contains {"object": nth, "message": message, "path": lib.pointer(["rules", index])} if {
	some nth, manifest in input.manifests
	rbac.is_role(manifest)
	some index, rule in lib.list(manifest, ["rules"])
	some [group, resource, verbs] in dangerous
	rbac.names(rule, "apiGroups", group)
	names_resource(rule, resource)
	some verb in verbs
	rbac.names(rule, "verbs", verb)
	right := sprintf("%s %s", [verb, resource])
	not right in lib.setting(about, "allowed")
	message := sprintf("rule %d allows to %s", [index + 1, right])
}

names_resource(rule, resource) if rbac.names(rule, "resources", resource)

names_resource(rule, resource) if {
	[_, part] := split(resource, "/")
	sprintf("*/%s", [part]) in lib.list(rule, ["resources"])
}
