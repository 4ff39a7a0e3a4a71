# METADATA
# title: No privileged containers
# description: >-
#   A privileged container can do on the node whatever root can, so one break-in takes the node and its neighbours.
# custom:
#   id: W01
#   severity: critical
#   category: pods
#   remedy: Remove securityContext.privileged, or set it to false and add only the capabilities that are needed.
#   references:
#     - Pod Security Standards, baseline
#     - CIS Kubernetes 5.2.2
#     - NSA Kubernetes Hardening, pod security
#   parameters: {}
package plane.rules.privileged

import data.plane.lib

about := lib.about(rego.metadata.chain())

violations contains {"message": message, "path": path} if {
	some container in lib.containers(input.manifest)
	lib.field(container.spec, ["securityContext", "privileged"], false) == true
	message := sprintf("%s runs privileged", [lib.named(container)])
	path := sprintf("%s/securityContext/privileged", [container.pointer])
}
