# METADATA
# title: The cluster still serves the API version
# description: An apiVersion that Kubernetes removed is refused by the API server, and everything after it waits.
# custom:
#   id: D01
#   severity: high
#   category: versions
#   remedy: >-
#     Write the object in the replacement that the message names; see the Kubernetes deprecated API migration guide.
#   references:
#     - Kubernetes documentation, deprecated API migration guide
#   parameters:
#     kubeVersion:
#       description: Version to judge by; the target cluster's when empty.
#       type: string
#       default: ""
package plane.rules.removed_apis

import data.plane.lib
import data.plane.lib.apis
import data.plane.lib.versions

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": message, "path": "/apiVersion"} if {
	some nth, manifest in input.manifests
	row := apis.row(manifest)
	minor := apis.minor(about)
	minor >= row.removed
	message := sprintf("%s %s was removed in %s, and the cluster has %s%s", [
		manifest.apiVersion, manifest.kind, versions.written(row.removed), versions.written(minor), apis.advice(row),
	])
}
