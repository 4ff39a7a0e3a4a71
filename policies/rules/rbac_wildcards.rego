# METADATA
# title: Roles name what they allow
# description: A wildcard also allows what is added to the cluster tomorrow.
# custom:
#   id: B01
#   severity: high
#   category: rbac
#   remedy: Name the verbs, resources and API groups that are needed.
#   references:
#     - CIS Kubernetes 5.1.3
#     - NSA Kubernetes Hardening, authorization
#   parameters: {}
package plane.rules.rbac_wildcards

import data.plane.lib
import data.plane.lib.rbac

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": message, "path": lib.pointer(["rules", index, field])} if {
	some nth, manifest in input.manifests
	rbac.is_role(manifest)
	some index, rule in lib.list(manifest, ["rules"])
	some field in ["verbs", "resources", "apiGroups", "nonResourceURLs"]
	some value in lib.list(rule, [field])
	wild(field, value)
	message := sprintf("rule %d allows %q in %s", [index + 1, value, field])
}

wild(_, "*")

wild("resources", value) if {
	is_string(value)
	regex.match(`^\*/|/\*$`, value)
}

# What such a role allows is written elsewhere, and grows with every role that anybody adds.
release_violations contains {"object": nth, "message": message, "path": lib.pointer(["aggregationRule", "clusterRoleSelectors", index])} if {
	some nth, manifest in input.manifests
	rbac.is_role(manifest)
	some index, selector in lib.list(manifest, ["aggregationRule", "clusterRoleSelectors"])
	lib.mapping(selector, ["matchLabels"]) == {}
	lib.list(selector, ["matchExpressions"]) == []
	message := sprintf("selector %d takes in every cluster role", [index + 1])
}
