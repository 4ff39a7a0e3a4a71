# METADATA
# title: Required labels
# description: Labels say whose an object is and what it belongs to; costs, dashboards and clean-up go by them.
# custom:
#   id: L01
#   severity: low
#   category: metadata
#   remedy: Add the label below metadata.labels.
#   references:
#     - Kubernetes documentation, recommended labels
#   parameters:
#     labels:
#       description: Label name → regular expression that its whole value must match.
#       type: object
#       additionalProperties: {type: string}
#       default: {app.kubernetes.io/name: .+}
#     annotations:
#       description: Annotation name → regular expression that its whole value must match.
#       type: object
#       additionalProperties: {type: string}
#       default: {}
#     kinds:
#       description: Kinds that need them.
#       type: array
#       items: {type: string}
#       default: [CronJob, DaemonSet, Deployment, Job, Pod, StatefulSet]
package plane.rules.labels

import data.plane.lib

about := lib.about(rego.metadata.chain())

required := {
	"labels": lib.setting(about, "labels"),
	"annotations": lib.setting(about, "annotations"),
}

words := {"labels": "label", "annotations": "annotation"}

violations contains {"message": message, "path": lib.pointer(["metadata", field, name])} if {
	input.manifest.kind in lib.setting(about, "kinds")
	some field, patterns in required
	some name, pattern in patterns
	value := lib.text(input.manifest, ["metadata", field, name])
	not regex.match(sprintf("^(%s)$", [pattern]), value)
	message := fault(words[field], name, pattern, value)
}

fault(word, name, _, "") := sprintf("the %s %q is missing", [word, name])

fault(word, name, pattern, value) := sprintf("the %s %q is %q, which does not match %q", [word, name, value, pattern]) if value != ""
