// Package consul is io.l5d.consul: dtabs in the key-value store of Consul, which
// several namerds share.
//
//	key                                 value
//	<pathPrefix>/<namespace>            the text of the dtab
//	<history>/<namespace>/head          how many changes there were, and the id of the last one
//	<history>/<namespace>/00 … 99       the last 100 changes, as JSON, long ones compressed with gzip
//	<history>/.sequence                 what revisions are counted in
//
// The path prefix is namerd/dtabs unless configured (keys of Consul do not begin with
// a slash), the history then is namerd/history, and otherwise the path prefix with
// .history after it. A token needs key_prefix "…" { policy = "write" } for both. Keys
// and values of dtabs are those of Linkerd's namerd, which may use them at the same
// time; what it writes is not in the history.
//
// A version is the ModifyIndex of the key in decimal digits, which also is what
// Linkerd's namerd made it of: the X-Consul-Index of an answer about a single key is
// the key's ModifyIndex as long as there is one.
//
// A namespace that is written must be of letters, digits, _ and -.
//
// # Writes
//
// A write is one transaction, of the key, the head and the change, which is made only
// if both the key and the head are what was read before. If its answer is lost it is
// found out from the head and the changes whether it was made, and only if it was not
// it is made again: callers do not see an outage that is over within
// [Options].Patience. After that they get an error that says whether the write may
// have been made.
//
// # Watches
//
// All observers share one blocking query, of everything below the path prefix. An
// answer from a server that may not have caught up with its own log, because it follows
// a failure or its index is lower than one before, is asked for again with a
// consistent read. While the agent does not answer, has no leader or refuses the
// token, the last good values stay in force, marked stale.
package consul
