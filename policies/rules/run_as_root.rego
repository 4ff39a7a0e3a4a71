# METADATA
# title: No root in containers
# description: >-
#   Root in a container is root on the node as soon as something lets it out, unless the pod has users of its own.
# custom:
#   id: W08
#   severity: medium
#   category: pods
#   remedy: Set securityContext.runAsNonRoot to true and runAsUser to a number above 0.
#   references:
#     - Pod Security Standards, restricted
#     - CIS Kubernetes 5.2.7
#     - NSA Kubernetes Hardening, pod security
#   parameters:
#     version:
#       description: Version of the Pod Security Standards; from v1.35 on pods with hostUsers set to false are left out.
#       type: string
#       default: latest
#     groups:
#       description: Whether group 0 counts too; the Pod Security Standards do not ask.
#       type: boolean
#       default: false
package plane.rules.run_as_root

import data.plane.lib
import data.plane.lib.security

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": sprintf("%s sets runAsNonRoot to false", [setter.who]), "path": setter.pointer} if {
	some nth, manifest in input.manifests
	some setter in security.contexts(manifest, ["runAsNonRoot"])
	setter.value == false
	not left_out(setter.pod)
}

release_violations contains {"object": nth, "message": message, "path": lib.at(container, ["securityContext", "runAsNonRoot"])} if {
	some nth, manifest in input.manifests
	some container in lib.containers(manifest)
	security.context(container.spec, ["runAsNonRoot"]) == null
	security.context(container.pod, ["runAsNonRoot"]) != true
	not left_out(container.pod)
	message := sprintf("%s may run as root: neither it nor the pod sets runAsNonRoot to true", [lib.named(container)])
}

release_violations contains {"object": nth, "message": sprintf("%s runs as user 0, which is root", [setter.who]), "path": setter.pointer} if {
	some nth, manifest in input.manifests
	some setter in security.contexts(manifest, ["runAsUser"])
	setter.value == 0
	not left_out(setter.pod)
}

release_violations contains {"object": nth, "message": sprintf("%s runs with %s 0, the group of root", [setter.who, field]), "path": setter.pointer} if {
	some nth, manifest in input.manifests
	lib.setting(about, "groups") == true
	some field in ["runAsGroup", "fsGroup"]
	some setter in security.contexts(manifest, [field])
	setter.value == 0
}

release_violations contains {"object": nth, "message": "the pod adds the group 0 of root", "path": setter.pointer} if {
	some nth, manifest in input.manifests
	lib.setting(about, "groups") == true
	some setter in security.contexts(manifest, ["supplementalGroups"])
	is_array(setter.value)
	0 in setter.value
}

left_out(pod) if {
	security.own_users(pod)
	security.minor(about) >= 35
}
