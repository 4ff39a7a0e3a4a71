# METADATA
# title: Required labels
# description: Labels say whose an object is and what it belongs to; costs, dashboards and clean-up go by them.
# custom:
#   id: L01
#   severity: low
#   remedy: Add the label below metadata.labels.
#   parameters:
#     labels:
#       description: Label name → regular expression that its whole value must match.
#       default: {app.kubernetes.io/name: .+}
#     kinds:
#       description: Kinds that need the labels.
#       default: [CronJob, DaemonSet, Deployment, Job, Pod, StatefulSet]
package plane.rules.labels

import data.plane.lib

about := lib.about(rego.metadata.chain())

required := lib.parameter("L01", "labels", {"app.kubernetes.io/name": ".+"})

kinds := lib.parameter("L01", "kinds", ["CronJob", "DaemonSet", "Deployment", "Job", "Pod", "StatefulSet"])

violations contains {"message": message, "path": lib.pointer(["metadata", "labels", name])} if {
	input.manifest.kind in kinds
	some name, pattern in required
	value := object.get(input.manifest, ["metadata", "labels", name], "")
	not regex.match(sprintf("^(%s)$", [pattern]), value)
	message := fault(name, pattern, value)
}

fault(name, _, "") := sprintf("the label %q is missing", [name])

fault(name, pattern, value) := sprintf("the label %q is %q, which does not match %q", [name, value, pattern]) if value != ""
