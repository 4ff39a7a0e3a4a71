package plane.rules.mutable_tag_test

import data.plane.rules.mutable_tag

found(image) := violations if {
	violations := mutable_tag.violations with input as {"manifest": {"kind": "Pod", "spec": {"containers": [{"name": "main", "image": image}]}}}
}

digest := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

test_versions_and_digests_pass if {
	every image in ["nginx:1.27", "registry.example:5000/app:v1", concat("@", ["nginx", digest]), concat("@", ["nginx:latest", digest])] {
		count(found(image)) == 0
	}
}

test_a_registry_port_is_no_tag if {
	found("registry.example:5000/app") == {{
		"message": "container \"main\" has image \"registry.example:5000/app\" without a tag, which means latest",
		"path": "/spec/containers/0/image",
	}}
}

test_latest_and_nothing_are_refused if {
	every image in ["nginx", "nginx:latest", "", "a b", 5] {
		count(found(image)) == 1
	}
}

test_a_container_without_an_image_is_refused if {
	violations := mutable_tag.violations with input as {"manifest": {"spec": {"containers": [{"name": "main"}]}}}
	{violation.message | some violation in violations} == {"container \"main\" names no image"}
}

test_other_tags_can_be_named if {
	violations := mutable_tag.violations with input as {
		"manifest": {"spec": {"containers": [{"name": "main", "image": "a:dev"}]}},
		"parameters": {"I02": {"tags": ["dev"]}},
	}
	count(violations) == 1
}
