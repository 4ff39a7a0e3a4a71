# METADATA
# title: The API version will stay for a while
# description: >-
#   An apiVersion that one of the next releases removes stops an upgrade of the cluster, or the next sync after it.
# custom:
#   id: D01-soon
#   severity: low
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
#     releases:
#       description: How many minor releases to look ahead.
#       type: integer
#       default: 2
package plane.rules.deprecated_apis

import data.plane.lib
import data.plane.lib.apis
import data.plane.lib.versions

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": message, "path": "/apiVersion"} if {
	some nth, manifest in input.manifests
	row := apis.row(manifest)
	minor := apis.minor(about)
	minor < row.removed
	minor + lib.setting(about, "releases") >= row.removed
	message := sprintf("%s %s is removed in %s, and the cluster has %s%s", [
		manifest.apiVersion, manifest.kind, versions.written(row.removed), versions.written(minor), apis.advice(row),
	])
}
