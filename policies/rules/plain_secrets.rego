# METADATA
# title: No secret in the clear in Git
# description: What was once pushed in the clear stays in every clone; base64 hides nothing.
# custom:
#   id: S01
#   severity: critical
#   category: secrets
#   remedy: >-
#     Encrypt the file with SOPS, or put a placeholder for a value in Vault; then change the secret, it is known by
#     now.
#   references:
#     - CIS Kubernetes 5.4.1
#     - OWASP, secrets management
#   parameters:
#     types:
#       description: Types of Secret that may stand in the clear.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.plain_secrets

import data.plane.lib
import data.plane.lib.masked

about := lib.about(rego.metadata.chain())

# What the plane says: which values stood in the clear before they were masked.
release_violations contains {"message": message, "object": index, "path": pointer} if {
	some number, pointers in lib.mapping(input, ["clear"])
	index := to_number(number)
	is_secret(input.manifests[index])
	some pointer in pointers
	message := sprintf("the value at %s stands in Git in the clear", [pointer])
}

# Files as they are, such as `plane try policy` reads them: whatever is neither encrypted, a placeholder nor a fingerprint.
release_violations contains {"object": nth, "message": message, "path": lib.pointer([field, name])} if {
	some nth, manifest in input.manifests
	is_secret(manifest)
	some field in ["data", "stringData"]
	some name, value in lib.mapping(manifest, [field])
	is_string(value)
	value != ""
	not hidden(value)
	message := sprintf("the value of %q stands in the clear", [name])
}

is_secret(manifest) if {
	lib.is_kind(manifest, "", "Secret")
	not lib.field(manifest, "type", "Opaque") in lib.setting(about, "types")
}

hidden(value) if masked.is_hidden(value)

hidden(value) if {
	base64.is_valid(value)
	masked.is_hidden(base64.decode(value))
}
