# METADATA
# title: API groups belong to one project
# description: >-
#   Whoever changes a CustomResourceDefinition changes every object of its kind; a conversion webhook reads and
#   rewrites them all.
# custom:
#   id: N04
#   severity: high
#   category: tenancy
#   remedy: Use an API group of your own, and a conversion webhook inside the project's namespaces.
#   references:
#     - Threat model, objects of another app
#   parameters:
#     groups:
#       description: Globs of API groups that may be defined; the project's when not given.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.crd_groups

import data.plane.lib

about := lib.about(rego.metadata.chain())

allowed := lib.setting(about, "groups") if {
	count(lib.setting(about, "groups")) > 0
} else := input.project.apiGroups

is_definition(manifest) if lib.is_kind(manifest, "apiextensions.k8s.io", "CustomResourceDefinition")

release_violations contains {"object": nth, "message": message, "path": "/spec/group"} if {
	some nth, manifest in input.manifests
	is_definition(manifest)
	group := lib.text(manifest, ["spec", "group"])
	not lib.any_glob(allowed, group)
	message := sprintf("the API group %q is none of the project's (%s)", [group, concat(", ", allowed)])
}

release_violations contains {"object": nth, "message": message, "path": "/spec/conversion/webhook/clientConfig/url"} if {
	some nth, manifest in input.manifests
	is_definition(manifest)
	url := lib.text(manifest, ["spec", "conversion", "webhook", "clientConfig", "url"])
	url != ""
	message := sprintf("objects are sent to %q for conversion, outside the cluster", [url])
}

release_violations contains {"object": nth, "message": message, "path": "/spec/conversion/webhook/clientConfig/service/namespace"} if {
	some nth, manifest in input.manifests
	is_definition(manifest)
	namespace := lib.text(manifest, ["spec", "conversion", "webhook", "clientConfig", "service", "namespace"])
	namespace != ""
	not lib.any_glob(input.project.namespaces, namespace)
	message := sprintf("objects are sent to the namespace %q for conversion, which is none of the project's", [namespace])
}
