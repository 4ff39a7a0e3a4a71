# METADATA
# title: No privilege escalation
# description: Without allowPrivilegeEscalation set to false, a set-user-ID program in the image makes its caller root.
# custom:
#   id: W07
#   severity: medium
#   category: pods
#   remedy: Set securityContext.allowPrivilegeEscalation to false.
#   references:
#     - Pod Security Standards, restricted
#     - CIS Kubernetes 5.2.6
#     - NSA Kubernetes Hardening, pod security
#   parameters: {}
package plane.rules.privilege_escalation

import data.plane.lib
import data.plane.lib.security

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": message, "path": lib.at(container, ["securityContext", "allowPrivilegeEscalation"])} if {
	some nth, manifest in input.manifests
	some container in lib.containers(manifest)
	not security.is_windows(container.pod)
	security.context(container.spec, ["allowPrivilegeEscalation"]) != false
	message := sprintf("%s does not set allowPrivilegeEscalation to false", [lib.named(container)])
}
