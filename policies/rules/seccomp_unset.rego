# METADATA
# title: A seccomp profile is set
# description: Where the node's default is not RuntimeDefault, a pod that names no profile runs unconfined.
# custom:
#   id: W09-unset
#   severity: medium
#   category: pods
#   remedy: Set securityContext.seccompProfile.type of the pod to RuntimeDefault.
#   references:
#     - Pod Security Standards, restricted
#     - CIS Kubernetes 5.7.2
#     - NSA Kubernetes Hardening, pod security
#   parameters: {}
package plane.rules.seccomp_unset

import data.plane.lib
import data.plane.lib.security

about := lib.about(rego.metadata.chain())

good := {"RuntimeDefault", "Localhost"}

release_violations contains {"object": nth, "message": message, "path": sprintf("%s/type", [setter.pointer])} if {
	some nth, manifest in input.manifests
	some setter in security.contexts(manifest, ["seccompProfile"])
	not security.is_windows(setter.pod)
	kind := security.profile(setter.value)
	not kind in good
	message := sprintf("%s sets the seccomp profile %q", [setter.who, kind])
}

release_violations contains {"object": nth, "message": message, "path": lib.at(container, ["securityContext", "seccompProfile"])} if {
	some nth, manifest in input.manifests
	some container in lib.containers(manifest)
	not security.is_windows(container.pod)
	security.context(container.spec, ["seccompProfile"]) == null
	not pod_is_confined(container.pod)
	message := sprintf("%s has no seccomp profile, nor has its pod", [lib.named(container)])
}

pod_is_confined(pod) if security.profile(security.context(pod, ["seccompProfile"])) in good
