# METADATA
# title: Apps come from the project's repositories
# description: >-
#   Whoever may push to the source decides what runs; production follows commits that were signed and do not move.
# custom:
#   id: G01
#   severity: high
#   category: delivery
#   remedy: Use a repository and a revision of the project, and sign the commit.
#   references:
#     - SLSA, source track
#     - NSA Kubernetes Hardening, supply chain
#   parameters:
#     repositories:
#       description: Globs of repository URLs, as host/path; the project's when not given.
#       type: array
#       items: {type: string}
#       default: []
#     revisions:
#       description: Regular expression that the revision as asked for has to match.
#       type: string
#       default: .*
#     signed:
#       description: Whether the commit has to carry a good signature.
#       type: boolean
#       default: false
#     environments:
#       description: Values of the cluster's label environment where revisions and signed hold; none means everywhere.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.sources

import data.plane.lib

about := lib.about(rego.metadata.chain())

allowed := lib.setting(about, "repositories") if {
	count(lib.setting(about, "repositories")) > 0
} else := input.project.repositories

release_violations contains {"message": sprintf("the repository %q is none of the project's (%s)", [where, concat(", ", allowed)])} if {
	repository := lib.text(input, ["context", "repo"])
	repository != ""
	where := place(repository)
	not lib.any_glob({place(pattern) | some pattern in allowed}, where)
}

release_violations contains {"message": message} if {
	holds_here
	revision := lib.text(input, ["context", "revision"])
	revision != ""
	pattern := lib.setting(about, "revisions")
	not regex.match(sprintf("^(%s)$", [pattern]), revision)
	message := sprintf("the revision %q does not match %q", [revision, pattern])
}

release_violations contains {"message": message} if {
	holds_here
	lib.setting(about, "signed") == true
	lib.text(input, ["context", "signature"]) != "good"
	message := sprintf("the commit %s carries no good signature", [lib.text(input, ["context", "commit"])])
}

holds_here if count(lib.setting(about, "environments")) == 0

holds_here if lib.text(input, ["context", "clusterLabels", "environment"]) in lib.setting(about, "environments")

# host/path: without scheme, user, port of the scheme and .git; the host in lower case.
place(url) := sprintf("%s/%s", [lower(parts[0]), trim_suffix(trim_suffix(concat("/", array.slice(parts, 1, count(parts))), "/"), ".git")]) if {
	bare := regex.replace(regex.replace(url, `^[a-z+]+://([^@/]*@)?`, ""), `^([^/]*):(22|443)/`, "${1}/")
	parts := split(bare, "/")
	count(parts) > 1
} else := url
