# METADATA
# title: Cluster-wide objects need leave
# description: CRDs, webhooks, cluster roles and the like act on every tenant of the cluster.
# custom:
#   id: N02
#   severity: high
#   category: tenancy
#   remedy: Leave the object to the platform team, or have its kind added to the project.
#   references:
#     - CIS Kubernetes 5.1.1
#     - CIS Kubernetes 5.1.12
#   parameters:
#     kinds:
#       description: Globs of group/Kind that may be used; the project's when not given. The core group is empty, as in /Namespace.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.cluster_kinds

import data.plane.lib

about := lib.about(rego.metadata.chain())

default granted := []

granted := lib.setting(about, "kinds") if {
	count(lib.setting(about, "kinds")) > 0
} else := input.project.clusterKinds

release_violations contains {"object": nth, "message": message, "path": "/kind"} if {
	some nth, manifest in input.manifests
	lib.is_cluster_wide(manifest)
	kind := lib.qualified_kind(manifest)
	not lib.any_glob(granted, kind)
	not own_namespace(manifest)
	message := sprintf("%s is cluster-wide and not granted to the project", [kind])
}

# A tenant may make the namespaces it is granted.
own_namespace(manifest) if {
	lib.is_kind(manifest, "", "Namespace")
	lib.any_glob(input.project.namespaces, lib.name(manifest))
}
