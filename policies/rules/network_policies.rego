# METADATA
# title: Workloads are behind a network policy
# description: Without a NetworkPolicy that selects it, a pod talks to and hears from every pod of the cluster.
# custom:
#   id: T01
#   severity: medium
#   category: network
#   remedy: Add a NetworkPolicy for the namespace that denies by default, and open what is needed.
#   references:
#     - CIS Kubernetes 5.3.2
#     - NSA Kubernetes Hardening, network separation
#   parameters:
#     internet:
#       description: Whether an ipBlock of everything is allowed for egress.
#       type: boolean
#       default: false
#     guarded:
#       description: Globs of namespaces that have a policy from elsewhere, such as from the platform team.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.network_policies

import data.plane.lib

about := lib.about(rego.metadata.chain())

everywhere := {"0.0.0.0/0", "::/0"}

guarded contains lib.namespace(manifest) if {
	some manifest in input.manifests
	is_policy(manifest)
}

is_policy(manifest) if lib.is_kind(manifest, "networking.k8s.io", "NetworkPolicy")

release_violations contains {"message": message, "object": index, "path": ""} if {
	some index, manifest in input.manifests
	count(lib.pods(manifest)) > 0
	namespace := lib.namespace(manifest)
	not namespace in guarded
	not namespace in lib.list(input, ["inventory", "guarded"])
	not lib.any_glob(lib.setting(about, "guarded"), namespace)
	message := sprintf("no NetworkPolicy of the release lies in its namespace (%s)", [lib.either(namespace, "default")])
}

release_violations contains {"object": nth, "message": message, "path": lib.pointer(["spec", field, index])} if {
	some nth, manifest in input.manifests
	is_policy(manifest)
	some field, peers in {"ingress": "from", "egress": "to"}
	some index, rule in lib.list(manifest, ["spec", field])
	lib.list(rule, [peers]) == []
	lib.list(rule, ["ports"]) == []
	message := sprintf("%s rule %d allows everything", [field, index + 1])
}

release_violations contains {"object": nth, "message": message, "path": lib.pointer(["spec", field, index, peers, number, "ipBlock", "cidr"])} if {
	some nth, manifest in input.manifests
	is_policy(manifest)
	some field, peers in {"ingress": "from", "egress": "to"}
	some index, rule in lib.list(manifest, ["spec", field])
	some number, peer in lib.list(rule, [peers])
	lib.text(peer, ["ipBlock", "cidr"]) in everywhere
	not open(field, peer)
	message := sprintf("%s rule %d allows every address", [field, index + 1])
}

open("egress", _) if lib.setting(about, "internet") == true

open(_, peer) if count(lib.list(peer, ["ipBlock", "except"])) > 0
