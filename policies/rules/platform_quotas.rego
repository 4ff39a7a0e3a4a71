# METADATA
# title: Quotas and limits are the platform's
# description: ResourceQuota and LimitRange are what keeps tenants from each other's share; nobody sets their own.
# custom:
#   id: N05
#   severity: high
#   category: tenancy
#   remedy: Remove the object, and ask the platform team to change the namespace's quota.
#   references:
#     - NSA Kubernetes Hardening, resource policies
#   parameters:
#     allowed:
#       description: Globs of namespace/name that a project does keep itself.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.platform_quotas

import data.plane.lib

about := lib.about(rego.metadata.chain())

kinds := {"ResourceQuota", "LimitRange"}

release_violations contains {"object": nth, "message": message, "path": "/kind"} if {
	some nth, manifest in input.manifests
	manifest.kind in kinds
	lib.group(manifest) == ""
	place := sprintf("%s/%s", [lib.namespace(manifest), lib.name(manifest)])
	not lib.any_glob(lib.setting(about, "allowed"), place)
	message := sprintf("the %s %s is set by an app", [manifest.kind, place])
}

release_violations contains {"message": message, "object": lib.written(change.object)} if {
	some change in lib.list(input, ["changes"])
	change.action == "delete"
	change.object.kind in kinds
	place := sprintf("%s/%s", [lib.text(change, ["object", "namespace"]), lib.text(change, ["object", "name"])])
	not lib.any_glob(lib.setting(about, "allowed"), place)
	message := sprintf("the %s %s would be removed by an app", [change.object.kind, place])
}
