package plane.rules.requests_test

import data.plane.rules.requests

found(pod, parameters) := {violation.message |
	some violation in requests.violations with input as {
		"manifest": {"kind": "Pod", "spec": pod},
		"parameters": {"R01": parameters},
	}
}

full := {"cpu": "1", "memory": "1Gi"}

test_both_requests_pass if found({"containers": [{"resources": {"requests": full}}]}, {}) == set()

test_limits_count_as_requests if found({"containers": [{"resources": {"limits": full}}]}, {}) == set()

test_requests_of_the_pod_count if found({"resources": {"requests": full}, "containers": [{"name": "a"}]}, {}) == set()

test_zero_is_given if found({"containers": [{"resources": {"requests": {"cpu": 0, "memory": 0}}}]}, {}) == set()

test_what_is_missing_is_named if {
	found({"containers": [{"name": "a"}]}, {}) == {"container \"a\" has no cpu and no memory in resources.requests"}
	found({"initContainers": [{"name": "a", "resources": {"requests": {"cpu": 1}}}]}, {}) == {"init container \"a\" has no memory in resources.requests"}
}

test_ephemeral_containers_cannot_have_any if found({"ephemeralContainers": [{"name": "a"}]}, {}) == set()

test_limits_can_be_asked_for if {
	found({"containers": [{"name": "a", "resources": {"requests": full}}]}, {"limits": ["memory"]}) == {"container \"a\" has no memory in resources.limits"}
}
