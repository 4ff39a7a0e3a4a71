# METADATA
# title: Rendering needs nothing but the source
# description: >-
#   Remote bases, plugins, post-renderers and look-ups make of one commit something else every day, or run code of
#   strangers.
# custom:
#   id: G02
#   severity: high
#   category: delivery
#   remedy: Copy the base into the repository, or use a pinned chart; pass values instead of looking them up.
#   references:
#     - SLSA, build track
#     - Threat model, paths and transports
#   parameters:
#     remotes:
#       description: Globs of remote bases that are allowed.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.rendering

import data.plane.lib

about := lib.about(rego.metadata.chain())

release_violations contains {"message": sprintf("the base %q is fetched while rendering", [remote])} if {
	some remote in lib.list(input, ["source", "remotes"])
	not lib.any_glob(lib.setting(about, "remotes"), remote)
}

words := {"plugins": "the plugin", "postRenderers": "the post-renderer", "functions": "the template function"}

release_violations contains {"message": sprintf("%s %q runs while rendering", [word, name])} if {
	some field, word in words
	some name in lib.list(input, ["source", field])
}

# A kustomization among the files themselves.
release_violations contains {"object": nth, "message": sprintf("the base %q is fetched while rendering", [base]), "path": lib.pointer([field, index])} if {
	some nth, manifest in input.manifests
	lib.group(manifest) == "kustomize.config.k8s.io"
	some field in ["resources", "bases", "components", "crds"]
	some index, base in lib.list(manifest, [field])
	is_string(base)
	is_remote(base)
	not lib.any_glob(lib.setting(about, "remotes"), base)
}

release_violations contains {"object": nth, "message": sprintf("%s runs programs while rendering", [field]), "path": lib.pointer([field])} if {
	some nth, manifest in input.manifests
	lib.group(manifest) == "kustomize.config.k8s.io"
	some field in ["generators", "transformers", "validators"]
	some entry in lib.list(manifest, [field])
	is_string(entry)
	contains(entry, "exec:")
}

is_remote(base) if regex.match(`^[a-z+]+://|^[^/]+@|^(github\.com|gitlab\.com|bitbucket\.org)[/:]|\?ref=|\.git(//|$)`, base)
