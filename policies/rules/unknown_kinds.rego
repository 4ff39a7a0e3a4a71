# METADATA
# title: The cluster knows the kind
# description: >-
#   A kind that the cluster does not serve cannot be applied; often its operator is missing, or the version is.
# custom:
#   id: D02
#   severity: high
#   category: versions
#   remedy: >-
#     Install what brings the kind first, put its CustomResourceDefinition into the same app, or correct apiVersion.
#   references:
#     - Kubernetes documentation, custom resources
#   parameters: {}
package plane.rules.unknown_kinds

import data.plane.lib

about := lib.about(rego.metadata.chain())

defined contains [group, kind, version] if {
	some manifest in input.manifests
	lib.is_kind(manifest, "apiextensions.k8s.io", "CustomResourceDefinition")
	group := lib.text(manifest, ["spec", "group"])
	kind := lib.text(manifest, ["spec", "names", "kind"])
	some entry in lib.list(manifest, ["spec", "versions"])
	entry.served == true
	version := entry.name
}

release_violations contains {"message": message, "object": index, "path": "/apiVersion"} if {
	count(lib.mapping(input, ["cluster", "kinds"])) > 0
	some index, manifest in input.manifests
	version := regex.replace(lib.text(manifest, ["apiVersion"]), "^.*/", "")
	not served(manifest, version)
	not [lib.group(manifest), manifest.kind, version] in defined
	message := sprintf("the cluster does not serve %s of %s%s", [manifest.kind, lib.text(manifest, ["apiVersion"]), hint(manifest)])
}

served(manifest, version) if version in lib.list(input.cluster.kinds, [lib.qualified_kind(manifest), "versions"])

# A cluster that names no versions for a kind serves some.
served(manifest, _) if {
	known := input.cluster.kinds[lib.qualified_kind(manifest)]
	lib.list(known, ["versions"]) == []
}

hint(manifest) := sprintf("; it serves %s", [concat(", ", others)]) if {
	others := lib.list(input.cluster.kinds, [lib.qualified_kind(manifest), "versions"])
	count(others) > 0
} else := ""
