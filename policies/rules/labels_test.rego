package plane.rules.labels_test

import data.plane.rules.labels

found(manifest, parameters) := {violation.message |
	some violation in labels.violations with input as {"manifest": manifest, "parameters": {"L01": parameters}}
}

deployment(given) := {"kind": "Deployment", "metadata": {"labels": given}}

test_the_label_passes if found(deployment({"app.kubernetes.io/name": "web"}), {}) == set()

test_a_missing_label_is_named if {
	every manifest in [deployment({}), deployment(null), {"kind": "Pod"}] {
		found(manifest, {}) == {"the label \"app.kubernetes.io/name\" is missing"}
	}
}

test_the_whole_value_must_match if {
	parameters := {"labels": {"team": "[a-z]+"}}
	found(deployment({"team": "acme"}), parameters) == set()
	found(deployment({"team": "acme-1"}), parameters) == {"the label \"team\" is \"acme-1\", which does not match \"[a-z]+\""}
}

test_other_kinds_pass if found({"kind": "ConfigMap", "metadata": {}}, {}) == set()

test_kinds_can_be_named if count(found({"kind": "ConfigMap", "metadata": {}}, {"kinds": ["ConfigMap"]})) == 1
