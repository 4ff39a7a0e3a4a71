# METADATA
# title: Secrets come from the project's own paths
# description: >-
#   A reference is read with the rights of the plane's access; outside the project's paths it reads somebody else's
#   secret.
# custom:
#   id: S04
#   severity: high
#   category: secrets
#   remedy: Use a path below one of the project's prefixes.
#   references:
#     - Threat model, Vault client
#   parameters:
#     prefixes:
#       description: Path prefixes that may be read, segment by segment; the project's when not given.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.vault_paths

import data.plane.lib
import data.plane.lib.masked

about := lib.about(rego.metadata.chain())

allowed := lib.setting(about, "prefixes") if {
	count(lib.setting(about, "prefixes")) > 0
} else := input.project.vaultPrefixes

release_violations contains {"object": nth, "message": sprintf("the reference %q leaves the project's paths (%s)", [path, concat(", ", allowed)]), "path": pointer} if {
	some nth, manifest in input.manifests
	some [place, text] in masked.texts(manifest)
	some path in masked.references(text)
	not permitted(path)
	pointer := lib.pointer(place)
}

permitted(path) if {
	given := segments(path)
	not ".." in given
	some prefix in allowed
	wanted := segments(prefix)
	array.slice(given, 0, count(wanted)) == wanted
}

segments(path) := [segment | some segment in split(path, "/"); not segment in {"", "."}]
