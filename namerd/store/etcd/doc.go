// Package etcd is io.l5d.etcd: dtabs in an etcd cluster (v3), which several namerds
// share.
//
//	key                                     value
//	<pathPrefix>/<namespace>                the text of the dtab
//	<history>/<namespace, escaped>/head     how many changes there were, and the id of the last one
//	<history>/<namespace, escaped>/00 … 99  the last 100 changes, as JSON
//
// The path prefix is /namerd/dtabs unless configured, the history then is
// /namerd/history, and otherwise the path prefix with .history after it. A user of etcd
// with authentication needs to read and write below both. The dtabs of Linkerd's
// namerd, which spoke v2 of the protocol, are kept under the same keys by etcd, but
// out of reach of v3: they are to be copied.
//
// A version is the revision at which etcd modified the key, in decimal digits, as it
// was with v2. A dtab that somebody writes by other means is as good as any; it only is
// not in the history. A namespace may be anything but empty that is UTF-8 of at most
// 1024 bytes, slashes included.
//
// # Writes
//
// A write is one transaction, of the key, the head and the change, which compares the
// key and the head with what was read before. If its answer is lost, because the member
// that was asked has died, it is found out from the head and the changes whether it was
// made, and only if it was not it is made again: callers do not see an outage that is
// over within [Options].Patience. After that they get an error that says whether the
// write may have been made.
//
// # Watches
//
// All observers share one watch, of everything below the path prefix, which goes on
// where it stopped when it moves from one member to another, and begins again from a
// list when etcd has compacted the revision. A watch of which nothing was heard for
// [Options].Probe is asked for a sign of life; if there is none within [Options].Timeout
// the connections are replaced. While etcd is away, or has no leader, the last good
// values stay in force, marked stale.
package etcd
