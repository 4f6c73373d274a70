// Package dtab implements delegation tables: ordered lists of rewrite rules over
// logical names, and the name trees that the rules produce.
//
// A Path is a name such as /svc/users. A Dtab rewrites it: each Dentry has a
// Prefix to match and a destination Tree whose path leaves receive the rest of
// the name. Trees combine names: Alt is ordered failover, Union a weighted split,
// and Neg, Fail and Empty are the constants "no such name", "stop here" and "it
// exists and has no members".
//
// The concrete syntax, canonical printing, lookup, simplification and evaluation
// are those of Finagle 21.4, including the text of its parse errors, which users
// see in HTTP 400 bodies.
//
// Two inputs that the original's grammar allows are refused: parentheses nested
// more than 1000 deep, so that hostile text cannot use up the stack, and weights
// too large for a float64, since no share can be taken of an infinite one.
//
// The package depends on the standard library only. All values are immutable:
// slices reachable from a Dtab or a Tree must not be written to once shared.
package dtab
