# METADATA
# title: No change during a freeze
# description: >-
#   When nobody is there to look, nothing changes. Sync windows hold a release back and let it go by themselves; this
#   rule refuses it.
# custom:
#   id: G03
#   severity: medium
#   category: delivery
#   remedy: Wait until the freeze ends, or have it lifted.
#   references:
#     - Plane documentation, sync windows
#   parameters:
#     freezes:
#       description: Times from and until which nothing may be released, RFC 3339.
#       type: array
#       items:
#         type: object
#         properties: {from: {type: string}, until: {type: string}, reason: {type: string}}
#         required: [from, until]
#       default: []
#     triggers:
#       description: Triggers that may release all the same, such as rollback.
#       type: array
#       items: {type: string}
#       default: [rollback]
package plane.rules.freezes

import data.plane.lib

about := lib.about(rego.metadata.chain())

release_violations contains {"message": message} if {
	now := time.parse_rfc3339_ns(input.context.now)
	some freeze in lib.setting(about, "freezes")
	now >= time.parse_rfc3339_ns(freeze.from)
	now < time.parse_rfc3339_ns(freeze.until)
	not lib.text(input, ["context", "trigger"]) in lib.setting(about, "triggers")
	message := sprintf("nothing is released until %s%s", [freeze.until, reason(freeze)])
}

reason(freeze) := sprintf(" (%s)", [freeze.reason]) if {
	lib.text(freeze, ["reason"]) != ""
} else := ""
