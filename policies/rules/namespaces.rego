# METADATA
# title: Objects land in the project's namespaces
# description: >-
#   A namespace that is not the project's is somebody else's; what names none lands wherever the destination points.
# custom:
#   id: N01
#   severity: high
#   category: tenancy
#   remedy: Set metadata.namespace to one of the project's, or have the project's destinations widened.
#   references:
#     - CIS Kubernetes 5.7.1
#     - CIS Kubernetes 5.7.4
#   parameters:
#     namespaces:
#       description: Globs of namespaces that may be used; the project's when not given.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.namespaces

import data.plane.lib

about := lib.about(rego.metadata.chain())

allowed := lib.setting(about, "namespaces") if {
	count(lib.setting(about, "namespaces")) > 0
} else := input.project.namespaces

release_violations contains {"object": nth, "message": message, "path": "/metadata/namespace"} if {
	some nth, manifest in input.manifests
	not lib.is_cluster_wide(manifest)
	namespace := lib.namespace(manifest)
	namespace != ""
	not lib.any_glob(allowed, namespace)
	message := sprintf("the namespace %q is none of the project's (%s)", [namespace, concat(", ", allowed)])
}

release_violations contains {"object": nth, "message": message, "path": "/metadata/namespace"} if {
	some nth, manifest in input.manifests
	not lib.is_cluster_wide(manifest)
	lib.text(manifest, ["metadata", "namespace"]) == ""
	lib.namespace(manifest) in {"", "default"}
	message := "the object names no namespace and would land in default"
}
