# METADATA
# title: Selectors
# description: Label selectors as the API server evaluates them.
package plane.lib.selectors

import data.plane.lib

# Whether a LabelSelector (matchLabels, matchExpressions) selects these labels; the empty one selects everything.
selects(selector, labels) if {
	matches(lib.mapping(selector, ["matchLabels"]), labels)
	every expression in lib.list(selector, ["matchExpressions"]) {
		holds(expression, labels)
	}
}

# Whether the labels carry all these values.
matches(wanted, labels) if {
	every key, value in wanted {
		object.get(labels, key, null) == value
	}
}

holds(expression, labels) if {
	expression.operator == "In"
	object.get(labels, expression.key, null) in expression.values
}

holds(expression, labels) if {
	expression.operator == "NotIn"
	value := object.get(labels, expression.key, null)
	not value in expression.values
}

holds(expression, labels) if {
	expression.operator == "Exists"
	expression.key in object.keys(labels)
}

holds(expression, labels) if {
	expression.operator == "DoesNotExist"
	keys := object.keys(labels)
	not expression.key in keys
}
