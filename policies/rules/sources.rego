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
#     floating:
#       description: Whether the revision as asked for may be a branch or HEAD, which mean another commit tomorrow.
#       type: boolean
#       default: true
#     signed:
#       description: Whether the commit has to carry a good signature.
#       type: boolean
#       default: false
#     environments:
#       description: Environments (the cluster's label environment, or env) where revisions, floating and signed hold; none means everywhere.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.sources

import data.plane.lib

about := lib.about(rego.metadata.chain())

allowed := lib.setting(about, "repositories") if {
	count(lib.setting(about, "repositories")) > 0
} else := input.project.repositories

# Of the app's first source, and of all where they are known.
repositories := {lib.text(input, ["context", "repo"])} | {lib.text(origin, ["repoURL"]) | some origin in origins}

revisions := {lib.text(input, ["context", "revision"])} | {lib.text(origin, ["revision"]) | some origin in origins}

origins := lib.list(input, ["source", "origins"])

release_violations contains {"message": sprintf("the repository %q is none of the project's (%s)", [where, concat(", ", allowed)])} if {
	some repository in repositories
	repository != ""
	where := place(repository)
	not lib.any_glob({place(pattern) | some pattern in allowed}, where)
}

release_violations contains {"message": message} if {
	holds_here
	some revision in revisions
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

release_violations contains {"message": message} if {
	holds_here
	lib.setting(about, "floating") == false
	some origin in origins
	lib.field(origin, ["floating"], false) == true
	message := sprintf("the revision %q of %s is a branch, and what it means moves", [
		lib.text(origin, ["revision"]),
		place(lib.text(origin, ["repoURL"])),
	])
}

holds_here if count(lib.setting(about, "environments")) == 0

holds_here if lib.text(input, ["context", "environment"]) in lib.setting(about, "environments")

holds_here if lib.text(input, ["context", "clusterLabels", "environment"]) in lib.setting(about, "environments")

# host/path: without scheme, user, port of the scheme and .git; the host in lower case. user@host:path is of SSH.
place(url) := sprintf("%s/%s", [lower(parts[0]), trim_suffix(trim_suffix(concat("/", array.slice(parts, 1, count(parts))), "/"), ".git")]) if {
	written := regex.replace(url, `^[^@/:]+@([^@/:]+):/?`, "${1}/")
	bare := regex.replace(regex.replace(written, `^[A-Za-z+]+://([^@/]*@)?`, ""), `^([^/]*):(22|443)/`, "${1}/")
	parts := split(bare, "/")
	count(parts) > 1
} else := url
