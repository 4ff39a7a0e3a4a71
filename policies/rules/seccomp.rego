# METADATA
# title: No unconfined system calls
# description: >-
#   Without a seccomp profile a container may use every system call of the node, and the kernel is what all tenants
#   share.
# custom:
#   id: W09
#   severity: high
#   category: pods
#   remedy: Set securityContext.seccompProfile.type to RuntimeDefault.
#   references:
#     - Pod Security Standards, baseline
#     - CIS Kubernetes 5.7.2
#   parameters: {}
package plane.rules.seccomp

import data.plane.lib
import data.plane.lib.security

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": message, "path": sprintf("%s/type", [setter.pointer])} if {
	some nth, manifest in input.manifests
	some setter in security.contexts(manifest, ["seccompProfile"])
	kind := security.profile(setter.value)
	not kind in {"RuntimeDefault", "Localhost"}
	message := sprintf("%s sets the seccomp profile %q", [setter.who, kind])
}
