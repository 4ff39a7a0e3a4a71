# METADATA
# title: SOPS files are whole and for the right people
# description: >-
#   Every recipient can read the values; a file without a MAC, or with one over encrypted values only, can be changed
#   without anybody noticing.
# custom:
#   id: S03
#   severity: high
#   category: secrets
#   remedy: Encrypt the file anew with `sops updatekeys`, the recipients of .sops.yaml, and without mac_only_encrypted.
#   references:
#     - SOPS documentation, message authentication code
#   parameters:
#     recipients:
#       description: Recipients that may be there, as written in the file; the project's when not given.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.sops

import data.plane.lib

about := lib.about(rego.metadata.chain())

allowed := lib.setting(about, "recipients") if {
	count(lib.setting(about, "recipients")) > 0
} else := input.project.sopsRecipients

# The field that names a recipient, by kind of key.
names := {
	"age": "recipient",
	"pgp": "fp",
	"kms": "arn",
	"gcp_kms": "resource_id",
	"azure_kv": "vault_url",
	"hc_vault": "vault_address",
}

marks[nth] := found if {
	some nth, manifest in input.manifests
	found := lib.mapping(manifest, ["sops"])
	found != {}
}

entries contains {"object": nth, "who": lib.text(entry, [names[kind]]), "path": lib.pointer(["sops", kind, index])} if {
	some nth, mark in marks
	some kind, _ in names
	some index, entry in lib.list(mark, [kind])
}

entries contains {"object": nth, "who": lib.text(entry, [names[kind]]), "path": path} if {
	some nth, mark in marks
	some number, group in lib.list(mark, ["key_groups"])
	some kind, _ in names
	some index, entry in lib.list(group, [kind])
	path := lib.pointer(["sops", "key_groups", number, kind, index])
}

release_violations contains {"object": entry.object, "message": message, "path": entry.path} if {
	some entry in entries
	not entry.who in allowed
	message := sprintf("the recipient %q is none of the project's", [entry.who])
}

release_violations contains {"object": nth, "message": "the file has no MAC", "path": "/sops/mac"} if {
	some nth, mark in marks
	lib.text(mark, ["mac"]) == ""
}

release_violations contains {"object": nth, "message": message, "path": "/sops/mac_only_encrypted"} if {
	some nth, mark in marks
	lib.field(mark, "mac_only_encrypted", false) == true
	message := "the MAC covers encrypted values only"
}

release_violations contains {"object": nth, "message": message, "path": lib.pointer([field, name])} if {
	some nth, _ in marks
	manifest := input.manifests[nth]
	lib.is_kind(manifest, "", "Secret")
	some field in ["data", "stringData"]
	some name, value in lib.mapping(manifest, [field])
	is_string(value)
	not startswith(value, "ENC[")
	message := sprintf("the value of %q is not encrypted, though the file has SOPS metadata", [name])
}
