# METADATA
# title: Fixtures
# description: >-
#   Every rule against policies/fixtures: what is good is let through, what is bad is refused in these words. A case gives
#   what the rule reads: pod or container (of a Pod shop/web), manifest, manifests, and the other fields of the input.
package plane.fixtures_test

found(name, case) := {one.message |
	some manifest in objects(case)
	some one in data.plane.rules[name].violations with input as object.union(asked(name, case), {"manifest": manifest})
} | {one.message |
	some one in data.plane.rules[name].release_violations with input as asked(name, case)
}

asked(name, case) := object.union(
	{"project": {}, "cluster": {}, "inventory": {}, "changes": [], "source": {}, "clear": {}},
	object.union(object.remove(case, ["says"]), {
		"manifests": objects(case),
		"context": object.union(
			{"tenant": "acme", "project": "shop", "app": "web", "namespace": "shop", "now": "2026-03-01T12:00:00Z"},
			object.get(case, "context", {}),
		),
		"parameters": {data.plane.rules[name].about.id: object.get(case, "parameters", {})},
	}),
)

objects(case) := case.manifests

objects(case) := [case.manifest]

objects(case) := [pod({"containers": [object.union({"name": "main", "image": "registry.example/app:1.4.2"}, case.container)]})]

objects(case) := [pod(object.union({"containers": [{"name": "main", "image": "registry.example/app:1.4.2"}]}, case.pod))]

objects(case) := [] if count({"manifests", "manifest", "container", "pod"} & object.keys(case)) == 0

pod(spec) := {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec}

expected(case) := {sentence | some sentence in object.get(case, "says", [])}

judged contains {"rule": name, "kind": kind, "number": index, "said": found(name, case), "expected": expected(case)} if {
	some name, cases in data.fixtures
	some kind, several in cases
	some index, case in several
}

wrong contains one if {
	some one in judged
	one.said != one.expected
}

test_fixtures_are_judged_as_they_say if {
	print(wrong)
	count(wrong) == 0
}

test_bad_fixtures_say_something if {
	silent := [one | some one in judged; one.kind == "bad"; count(one.expected) == 0]
	silent == []
}

test_good_fixtures_say_nothing if {
	loud := [one | some one in judged; one.kind == "good"; count(one.expected) > 0]
	loud == []
}

# A rule that nothing tests is a promise that nobody keeps.
test_every_rule_has_good_and_bad_fixtures if {
	every name, rule in data.plane.rules {
		tested(name, rule)
	}
}

tested(name, _) if {
	count(data.fixtures[name].good) > 0
	count(data.fixtures[name].bad) > 0
}

tested(name, _) if endswith(name, "_test")
