package plane.rules.privileged_test

import data.plane.rules.privileged

found(pod) := violations if {
	violations := privileged.violations with input as {"manifest": {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}}}
}

yes := {"name": "a", "securityContext": {"privileged": true}}

test_every_kind_of_container_counts if {
	count(found({"containers": [yes], "initContainers": [yes], "ephemeralContainers": [yes]})) == 3
}

test_the_sentence_names_the_container if {
	found({"initContainers": [yes]}) == {{
		"message": "init container \"a\" runs privileged",
		"path": "/spec/jobTemplate/spec/template/spec/initContainers/0/securityContext/privileged",
	}}
}

test_unprivileged_containers_pass if {
	count(found({"containers": [{"name": "a"}, {"securityContext": null}, {"securityContext": {"privileged": false}}]})) == 0
}
