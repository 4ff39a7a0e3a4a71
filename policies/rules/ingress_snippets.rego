# METADATA
# title: No configuration of the proxy in annotations
# description: >-
#   Snippets become part of the ingress controller's own configuration, which reads the secrets of every tenant.
# custom:
#   id: T04-snippets
#   severity: critical
#   category: network
#   remedy: Remove the annotation; say what you need in fields of the Ingress, or ask the platform team.
#   references:
#     - C-0059
#     - CVE-2021-25742
#   parameters:
#     annotations:
#       description: Globs of annotations that are refused.
#       type: array
#       items: {type: string}
#       default:
#         - "nginx.ingress.kubernetes.io/*-snippet"
#         - "nginx.ingress.kubernetes.io/*-snippets"
#         - "nginx.org/*-snippets"
package plane.rules.ingress_snippets

import data.plane.lib

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": sprintf("the annotation %q becomes configuration of the proxy", [name]), "path": lib.pointer(["metadata", "annotations", name])} if {
	some nth, manifest in input.manifests
	some name, _ in lib.annotations(manifest)
	lib.any_glob(lib.setting(about, "annotations"), name)
}
