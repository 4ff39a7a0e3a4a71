# METADATA
# title: RBAC
# description: Roles, bindings and what their rules name.
package plane.lib.rbac

import data.plane.lib

rbac_group := "rbac.authorization.k8s.io"

is_role(manifest) if {
	manifest.kind in {"Role", "ClusterRole"}
	lib.group(manifest) == rbac_group
}

is_binding(manifest) if {
	manifest.kind in {"RoleBinding", "ClusterRoleBinding"}
	lib.group(manifest) == rbac_group
}

# Whether a rule covers a value, by name or by wildcard.
names(rule, field, value) if {
	some named in lib.list(rule, [field])
	named in {value, "*"}
}
