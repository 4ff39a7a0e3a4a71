# METADATA
# title: Objects have the fields of their kind
# description: >-
#   What the API server does not know it drops without a word, or refuses; both are better heard before. Duplicate
#   keys are refused when files are read.
# custom:
#   id: D03
#   severity: high
#   category: versions
#   remedy: Correct the field's name, place or type; kubectl explain KIND shows them.
#   references:
#     - Kubernetes documentation, API conventions
#   parameters:
#     schemas:
#       description: apiVersion/Kind, such as example.com/v1/Widget → JSON schema of the whole object.
#       type: object
#       additionalProperties: {type: object}
#       default: {}
package plane.rules.malformed

import data.plane.lib
import data.plane.lib.shapes

about := lib.about(rego.metadata.chain())

release_violations contains {"object": nth, "message": sprintf("the %s %q is %s; write it in quotes", [word, name, kind]), "path": pointer} if {
	some nth, manifest in input.manifests
	some field, word in {"labels": "label", "annotations": "annotation"}
	some name, value in lib.mapping(manifest, ["metadata", field])
	not is_string(value)
	kind := article[type_name(value)]
	pointer := lib.pointer(["metadata", field, name])
}

release_violations contains {"object": nth, "message": sprintf("the variable %q of %s is %s; write it in quotes", [name, lib.named(container), kind]), "path": pointer} if {
	some nth, manifest in input.manifests
	some container in lib.containers(manifest)
	some index, variable in lib.list(container.spec, ["env"])
	value := lib.field(variable, "value", "")
	not is_string(value)
	name := lib.text(variable, ["name"])
	kind := article[type_name(value)]
	pointer := lib.at(container, ["env", index, "value"])
}

release_violations contains {"object": nth, "message": sprintf("there is no field %q in %s", [field, what]), "path": pointer} if {
	some nth, manifest in input.manifests
	some [fields, value, what, path] in shapes.known(manifest)
	some field, _ in value
	not field in fields
	pointer := lib.pointer(array.concat(path, [field]))
}

release_violations contains {"object": nth, "message": sprintf("%s: %s", [fault.field, fault.desc]), "path": ""} if {
	some nth, manifest in input.manifests
	schema := lib.setting(about, "schemas")[sprintf("%v/%v", [manifest.apiVersion, manifest.kind])]
	[_, faults] := json.match_schema(manifest, schema)
	some fault in faults
}

article := {"number": "a number", "boolean": "a boolean", "null": "null", "array": "a list", "object": "a mapping"}
