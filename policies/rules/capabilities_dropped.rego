# METADATA
# title: All capabilities are dropped
# description: What a container never had, a break-in cannot use; a server needs NET_BIND_SERVICE at most.
# custom:
#   id: W06
#   severity: medium
#   category: pods
#   remedy: Set securityContext.capabilities.drop to [ALL] and add NET_BIND_SERVICE only.
#   references:
#     - Pod Security Standards, restricted
#     - CIS Kubernetes 5.2.10
#     - NSA Kubernetes Hardening, pod security
#   parameters: {}
package plane.rules.capabilities_dropped

import data.plane.lib
import data.plane.lib.security

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": message, "path": lib.at(container, ["securityContext", "capabilities"])} if {
	some nth, manifest in input.manifests
	some container in lib.containers(manifest)
	not security.is_windows(container.pod)
	not "ALL" in lib.list(container.spec, ["securityContext", "capabilities", "drop"])
	message := sprintf("%s does not drop ALL capabilities", [lib.named(container)])
}

release_violations contains {"object": nth, "message": message, "path": lib.at(container, ["securityContext", "capabilities", "add", index])} if {
	some nth, manifest in input.manifests
	some container in lib.containers(manifest)
	not security.is_windows(container.pod)
	some index, capability in lib.list(container.spec, ["securityContext", "capabilities", "add"])
	capability != "NET_BIND_SERVICE"
	message := sprintf("%s adds the capability %v", [lib.named(container), capability])
}
