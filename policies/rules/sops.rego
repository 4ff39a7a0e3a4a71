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

marks := lib.mapping(input.manifest, ["sops"])

entries contains {"who": lib.text(entry, [names[kind]]), "path": lib.pointer(["sops", kind, index])} if {
	some kind, _ in names
	some index, entry in lib.list(marks, [kind])
}

entries contains {"who": lib.text(entry, [names[kind]]), "path": lib.pointer(["sops", "key_groups", number, kind, index])} if {
	some number, group in lib.list(marks, ["key_groups"])
	some kind, _ in names
	some index, entry in lib.list(group, [kind])
}

violations contains {"message": sprintf("the recipient %q is none of the project's", [entry.who]), "path": entry.path} if {
	some entry in entries
	not entry.who in allowed
}

violations contains {"message": "the file has no MAC", "path": "/sops/mac"} if {
	marks != {}
	lib.text(marks, ["mac"]) == ""
}

violations contains {"message": "the MAC covers encrypted values only", "path": "/sops/mac_only_encrypted"} if {
	lib.field(marks, "mac_only_encrypted", false) == true
}

violations contains {"message": message, "path": lib.pointer([field, name])} if {
	marks != {}
	lib.is_kind(input.manifest, "", "Secret")
	some field in ["data", "stringData"]
	some name, value in lib.mapping(input.manifest, [field])
	is_string(value)
	not startswith(value, "ENC[")
	message := sprintf("the value of %q is not encrypted, though the file has SOPS metadata", [name])
}
