// Package naming turns logical names into endpoint sets and keeps the answer up
// to date.
//
// A Namer answers for a part of the name space from service discovery. An
// Interpreter rewrites a path with a dtab and asks namers until every leaf of
// the resulting tree is bound. Whatever changes is a weft.Source holding a State:
// pending, known, failed, or stale with the last good value.
package naming
