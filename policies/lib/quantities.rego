# METADATA
# title: Quantities
# description: Kubernetes quantities (500m, 1Gi, 2e3) as numbers.
package plane.lib.quantities

factors := {
	"": 1,
	"n": 0.000000001,
	"u": 0.000001,
	"m": 0.001,
	"k": 1000,
	"M": 1000000,
	"G": 1000000000,
	"T": 1000000000000,
	"P": 1000000000000000,
	"E": 1000000000000000000,
	"Ki": 1024,
	"Mi": 1048576,
	"Gi": 1073741824,
	"Ti": 1099511627776,
	"Pi": 1125899906842624,
	"Ei": 1152921504606846976,
}

# The number a quantity stands for; undefined when it is none.
number(quantity) := quantity if is_number(quantity)

number(quantity) := to_number(found[0][1]) * factors[found[0][2]] if {
	is_string(quantity)
	found := regex.find_all_string_submatch_n(`^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([numkMGTPE]|[KMGTPE]i|)$`, plain(quantity), 1)
}

number(quantity) := to_number(quantity) if {
	is_string(quantity)
	regex.match(`^[+-]?[0-9]+(\.[0-9]+)?[eE][+-]?[0-9]{1,2}$`, quantity)
}

# JSON knows no sign + and no number that begins or ends with a point.
plain(quantity) := regex.replace(regex.replace(trim_prefix(quantity, "+"), `^(-?)\.`, "${1}0."), `\.([^0-9]|$)`, "${1}")
