# METADATA
# title: Admission webhooks leave other tenants alone
# description: >-
#   A webhook sees and can change or refuse every object it matches; one that fails closed on core kinds stops the
#   cluster, its own repair included.
# custom:
#   id: N03
#   severity: critical
#   category: tenancy
#   remedy: >-
#     Add a namespaceSelector that names the project's namespaces, scope Namespaced, and failurePolicy Ignore for core
#     kinds.
#   references:
#     - CIS Kubernetes 5.1.12
#     - Kubernetes documentation, good practices for admission webhooks
#   parameters:
#     labels:
#       description: Namespace labels that tell tenants apart; a namespaceSelector has to ask for one of them.
#       type: array
#       items: {type: string}
#       default: [kubernetes.io/metadata.name]
package plane.rules.webhooks

import data.plane.lib

about := lib.about(rego.metadata.chain())

core_groups := {"", "*", "apps", "rbac.authorization.k8s.io", "coordination.k8s.io"}

release_violations contains {"object": nth, "message": message, "path": lib.pointer(["webhooks", index, "namespaceSelector"])} if {
	some nth, manifest in input.manifests
	some index, webhook in hooks(manifest)
	selector := lib.mapping(webhook, ["namespaceSelector"])
	not bounded(selector)
	message := sprintf("webhook %q matches the namespaces of every tenant", [lib.text(webhook, ["name"])])
}

release_violations contains {"object": nth, "message": message, "path": lib.pointer(["webhooks", index, "failurePolicy"])} if {
	some nth, manifest in input.manifests
	some index, webhook in hooks(manifest)
	lib.field(webhook, "failurePolicy", "Fail") == "Fail"
	some rule in lib.list(webhook, ["rules"])
	some group in lib.list(rule, ["apiGroups"])
	group in core_groups
	message := sprintf("webhook %q refuses objects of the group %q when it does not answer", [lib.text(webhook, ["name"]), group])
}

hooks(manifest) := lib.list(manifest, ["webhooks"]) if {
	lib.group(manifest) == "admissionregistration.k8s.io"
	manifest.kind in {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
}

bounded(selector) if {
	some label in lib.setting(about, "labels")
	value := lib.text(selector, ["matchLabels", label])
	value != ""
	ours(label, [value])
}

bounded(selector) if {
	some expression in lib.list(selector, ["matchExpressions"])
	expression.operator == "In"
	expression.key in lib.setting(about, "labels")
	ours(expression.key, lib.list(expression, ["values"]))
}

# A namespace's name shows whose it is; of other labels those answer who give them.
ours(label, names) if {
	label == "kubernetes.io/metadata.name"
	every name in names {
		is_string(name)
		lib.any_glob(input.project.namespaces, name)
	}
}

ours(label, _) if label != "kubernetes.io/metadata.name"

ours(_, _) if not input.project.namespaces

# Of what lies in no namespace a namespaceSelector leaves nothing out, but for Namespaces themselves.
release_violations contains {"object": nth, "message": message, "path": lib.pointer(["webhooks", index, "rules", number, "resources", place])} if {
	some nth, manifest in input.manifests
	some index, webhook in hooks(manifest)
	some number, rule in lib.list(webhook, ["rules"])
	lib.text(rule, ["scope"]) != "Namespaced"
	some place, resource in lib.list(rule, ["resources"])
	some group in lib.list(rule, ["apiGroups"])
	some [wide_group, kind] in lib.wide_kinds
	kind != "Namespace"
	group in {wide_group, "*"}
	resource in {"*", "*/*", plural(kind)}
	message := sprintf("webhook %q matches %q of every tenant, as namespaceSelector narrows nothing that is cluster-wide", [
		lib.text(webhook, ["name"]), resource,
	])
}

plural(kind) := sprintf("%ses", [lower(kind)]) if {
	endswith(kind, "s")
} else := sprintf("%sies", [trim_suffix(lower(kind), "y")]) if {
	endswith(kind, "y")
} else := sprintf("%ss", [lower(kind)])
