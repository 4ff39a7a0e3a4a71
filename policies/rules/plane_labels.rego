# METADATA
# title: Marks of ownership are not set by hand
# description: >-
#   Labels and annotations of GitOps tools say which app owns an object; who sets them by hand takes objects or has
#   them taken.
# custom:
#   id: L02
#   severity: high
#   category: metadata
#   remedy: Remove the label or annotation from the source; the tool writes it.
#   references:
#     - Threat model, objects of another app
#   parameters:
#     names:
#       description: Globs of label and annotation names that no source sets.
#       type: array
#       items: {type: string}
#       default:
#         - argocd.argoproj.io/instance
#         - argocd.argoproj.io/tracking-id
#         - config.kubernetes.io/owning-inventory
#         - helm.toolkit.fluxcd.io/*
#         - kustomize.toolkit.fluxcd.io/name
#         - kustomize.toolkit.fluxcd.io/namespace
package plane.rules.plane_labels

import data.plane.lib

about := lib.about(rego.metadata.chain())

owner := sprintf("%s/%s/%s", [
	lib.text(input, ["context", "tenant"]),
	lib.text(input, ["context", "project"]),
	lib.text(input, ["context", "app"]),
])

release_violations contains {"object": nth, "message": message, "path": lib.pointer(["metadata", field, name])} if {
	some nth, manifest in input.manifests
	some field in ["labels", "annotations"]
	some name, _ in lib.mapping(manifest, ["metadata", field])
	lib.any_glob(lib.setting(about, "names"), name)
	message := sprintf("%q is set in the source, and only the tool that owns the object may set it", [name])
}

# The plane's own marks are there by now; they are in order when they name this app.
release_violations contains {"object": nth, "message": message, "path": "/metadata/annotations/gitops-plane.io~1owner"} if {
	some nth, manifest in input.manifests
	some field in ["labels", "annotations"]
	some name in ["gitops-plane.io/app", "gitops-plane.io/owner"]
	lib.field(manifest, ["metadata", field, name], null) != null
	lib.text(manifest, ["metadata", "annotations", "gitops-plane.io/owner"]) != owner
	message := sprintf("the object is marked as another app's, and this one is %q", [owner])
}

release_violations contains {"object": nth, "message": "managedFields are written by the API server alone", "path": "/metadata/managedFields"} if {
	some nth, manifest in input.manifests
	count(lib.list(manifest, ["metadata", "managedFields"])) > 0
}
