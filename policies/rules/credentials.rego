# METADATA
# title: No credentials outside Secrets
# description: >-
#   ConfigMaps, variables, arguments and annotations are shown to everybody who may look; a password or token belongs
#   into a Secret. Messages name a fingerprint, never the value.
# custom:
#   id: S02
#   severity: high
#   category: secrets
#   remedy: >-
#     Move the value into a Secret that is encrypted or comes from Vault, refer to it, and change it, as it is known
#     by now.
#   references:
#     - CIS Kubernetes 5.4.1
#     - C-0012
#   parameters:
#     patterns:
#       description: Name → regular expression of tokens, beyond those built in.
#       type: object
#       additionalProperties: {type: string}
#       default: {}
#     names:
#       description: Regular expression of names whose values are credentials when they look like any.
#       type: string
#       default: "(?i)(^|[_.-])(password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)s?$"
#     allowed:
#       description: Fingerprints of values that are none, as messages show them.
#       type: array
#       items: {type: string}
#       default: []
package plane.rules.credentials

import data.plane.lib
import data.plane.lib.masked

about := lib.about(rego.metadata.chain())

tokens := object.union(lib.setting(about, "patterns"), {
	"a private key": `-----BEGIN [A-Z ]*PRIVATE KEY-----`,
	"an AWS access key": `\b(AKIA|ASIA)[0-9A-Z]{16}\b`,
	"a GitHub token": `\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b`,
	"a GitLab token": `\bglpat-[A-Za-z0-9_-]{20,}\b`,
	"a Slack token": `\bxox[abprs]-[A-Za-z0-9-]{10,}\b`,
	"a Stripe key": `\b[rs]k_live_[A-Za-z0-9]{20,}\b`,
	"a Google API key": `\bAIza[A-Za-z0-9_-]{35}\b`,
	"a JSON web token": `\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}`,
	"a Vault token": `\bhvs\.[A-Za-z0-9_-]{24,}\b`,
	"a URL with a password": `\b[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@]{3,}@`,
})

# {"object", "name", "value", "where", "path"}
texts contains {"object": nth, "name": name, "value": value, "where": sprintf("key %q", [name]), "path": lib.pointer(["data", name])} if {
	some nth, manifest in input.manifests
	lib.is_kind(manifest, "", "ConfigMap")
	some name, value in lib.mapping(manifest, ["data"])
	is_string(value)
}

texts contains {"object": nth, "name": name, "value": value, "where": where, "path": lib.at(container, ["env", index, "value"])} if {
	some nth, manifest in input.manifests
	some container in lib.containers(manifest)
	some index, variable in lib.list(container.spec, ["env"])
	value := lib.text(variable, ["value"])
	name := lib.text(variable, ["name"])
	where := sprintf("variable %q of %s", [name, lib.named(container)])
}

texts contains {"object": nth, "name": argument_name(value), "value": argument_value(value), "where": where, "path": lib.at(container, [field, index])} if {
	some nth, manifest in input.manifests
	some container in lib.containers(manifest)
	some field in ["command", "args"]
	some index, value in lib.list(container.spec, [field])
	is_string(value)
	where := sprintf("argument %d in %s of %s", [index + 1, field, lib.named(container)])
}

texts contains {"object": nth, "name": name, "value": value, "where": where, "path": lib.pointer(["metadata", "annotations", name])} if {
	some nth, manifest in input.manifests
	some name, value in lib.annotations(manifest)
	is_string(value)
	where := sprintf("annotation %q", [name])
}

argument_name(value) := trim_left(split(value, "=")[0], "-") if contains(value, "=")

else := ""

argument_value(value) := substring(value, indexof(value, "=") + 1, -1) if contains(value, "=")

else := value

release_violations contains {"object": text.object, "message": message, "path": text.path} if {
	some text in texts
	count(text.value) >= 8
	found := [what | some what, pattern in tokens; regex.match(pattern, text.value)]
	count(found) > 0
	not masked.is_hidden(text.value)
	mark := fingerprint(text.value)
	not mark in lib.setting(about, "allowed")
	message := sprintf("%s holds %s (fingerprint %s)", [text.where, concat(" and ", sort(found)), mark])
}

release_violations contains {"object": text.object, "message": message, "path": text.path} if {
	some text in texts
	count(text.value) >= 8
	regex.match(lib.setting(about, "names"), text.name)
	not masked.is_hidden(text.value)
	not is_reference(text.value)
	varied(text.value)
	mark := fingerprint(text.value)
	not mark in lib.setting(about, "allowed")
	message := sprintf("%s is named like a credential and looks like one (fingerprint %s)", [text.where, mark])
}

# Half of its characters are different ones, or eight of them: what words and repeated letters rarely are.
varied(value) if {
	distinct := count({letter | some letter in split(value, "")})
	distinct >= min([8, count(value) / 2])
}

# Paths, files, variables and names of Secrets say where a credential is, not what it is.
is_reference(value) if regex.match(`^(/|\./|file:|\$|https?://[^@]*$)|^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`, value)

fingerprint(value) := substring(crypto.sha256(value), 0, 8)
