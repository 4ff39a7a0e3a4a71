# METADATA
# title: The root file system is read-only
# description: Who breaks in cannot change programs or leave tools behind.
# custom:
#   id: W13
#   severity: low
#   category: pods
#   remedy: Set securityContext.readOnlyRootFilesystem to true and mount an emptyDir where the program writes.
#   references:
#     - NSA Kubernetes Hardening, pod security
#   parameters: {}
package plane.rules.read_only_root

import data.plane.lib
import data.plane.lib.security

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": message, "path": lib.at(container, ["securityContext", "readOnlyRootFilesystem"])} if {
	some nth, manifest in input.manifests
	some container in lib.containers(manifest)
	not security.is_windows(container.pod)
	security.context(container.spec, ["readOnlyRootFilesystem"]) != true
	message := sprintf("%s can write to its root file system", [lib.named(container)])
}
