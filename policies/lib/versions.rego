# METADATA
# title: Versions
# description: Kubernetes versions as numbers.
package plane.lib.versions

newest := 10000 # "latest" is newer than every release

# The minor of a Kubernetes version: v1.30, 1.30.4, v1.30.4+k3s1, 1.30+; undefined for anything else.
minor(version) := newest if version == "latest"

minor(version) := to_number(found[0][1]) if {
	is_string(version)
	found := regex.find_all_string_submatch_n(`^v?1\.([0-9]{1,4})([.+-].*)?$`, version, 1)
}

# A minor as people write it.
written(number) := sprintf("v1.%d", [number])
