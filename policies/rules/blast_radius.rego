# METADATA
# title: No change takes much away at once
# description: >-
#   A wrong path or an empty chart deletes everything it kept; a Namespace takes its objects along, a claim its disk,
#   a CRD its kind.
# custom:
#   id: G04
#   severity: high
#   category: delivery
#   remedy: Split the change, or have it approved.
#   references:
#     - Threat model, mass deletion
#   parameters:
#     objects:
#       description: How many objects one release may delete or replace.
#       type: integer
#       default: 20
#     percent:
#       description: How many percent of the app's objects it may delete or replace, from five objects on.
#       type: integer
#       default: 50
#     kinds:
#       description: Kinds that are never deleted or replaced without approval.
#       type: array
#       items: {type: string}
#       default: [Namespace, PersistentVolumeClaim, PersistentVolume, CustomResourceDefinition]
#     replicas:
#       description: By how many percent one release may lower replicas.
#       type: integer
#       default: 100
package plane.rules.blast_radius

import data.plane.lib

about := lib.about(rego.metadata.chain())

changes := lib.list(input, ["changes"])

gone := [change | some change in changes; change.action in {"delete", "replace"}]

words := {"delete": "deletes", "replace": "replaces"}

release_violations contains {"message": sprintf("the release %s the %s %s", [words[change.action], kind, name]), "object": lib.written(change.object)} if {
	some change in gone
	kind := change.object.kind
	kind in lib.setting(about, "kinds")
	name := lib.text(change, ["object", "name"])
}

release_violations contains {"message": message} if {
	most := lib.setting(about, "objects")
	count(gone) > most
	message := sprintf("the release deletes or replaces %d objects, and %d are allowed at once", [count(gone), most])
}

release_violations contains {"message": message} if {
	count(gone) >= 5
	whole := count({change | some change in changes; change.action != "create"}) + unchanged
	share := floor((count(gone) * 100) / whole)
	share > lib.setting(about, "percent")
	message := sprintf("the release deletes or replaces %d of %d objects, and %d %% are allowed at once", [
		count(gone), whole, lib.setting(about, "percent"),
	])
}

# Objects of the release that no change names stay as they are.
unchanged := max([0, count(input.manifests) - count([change | some change in changes; change.action in {"create", "update", "replace"}])])

release_violations contains {"message": message, "object": lib.written(change.object)} if {
	some change in changes
	change.replicas.before > 0
	share := floor(((change.replicas.before - change.replicas.after) * 100) / change.replicas.before)
	share > lib.setting(about, "replicas")
	message := sprintf("replicas go from %d to %d, and at most %d %% less are allowed at once", [
		change.replicas.before, change.replicas.after, lib.setting(about, "replicas"),
	])
}
