# METADATA
# title: Masked values
# description: What stands in a manifest in place of a secret value, and which secrets it refers to.
package plane.lib.masked

# Fingerprints of the plane, SOPS values, and placeholders for values in Vault, whole.
hidden := `^(hmac-sha256:[0-9a-f]{32}|ENC\[.*\]|\$\{secret:[^}]*\}|<(path|vault):[^>]*>|ref\+[a-z]+://\S*)$`

is_hidden(value) if regex.match(hidden, value)

# The paths a text refers to in Vault: ${secret:vault:alias/path#key}, <path:path#key>, ref+vault://path#/key.
references(text) := {path |
	some pattern in [`\$\{secret:(?:vault:)?([^}#@]*)`, `<(?:path|vault):([^>#]*)`, `ref\+vault://([^#?\s]*)`]
	some found in regex.find_all_string_submatch_n(pattern, text, -1)
	path := found[1]
}

# All texts of an object with a reference in them: [path, text]. Most objects hold none, and one look at their JSON says so.
texts(manifest) := {[path, text] |
	regex.match(`\$\{secret:|(<|\\u003c)(path|vault):|ref\+vault:`, json.marshal(manifest))
	[path, text] := walk(manifest)
	is_string(text)
	references(text) != set()
}
