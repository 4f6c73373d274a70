// Package zk is io.l5d.zk: dtabs in ZooKeeper, where namerd 1.7.5 has them too.
//
//	znode                        data
//	<PathPrefix>/<namespace>     the dtab as text
//	<PathPrefix>-history         a name for this set of data
//	<PathPrefix>-history/<ns>    the last changes of the namespace as JSON
//
// What is missing of it is made, with the configured ACLs.
//
// # Writes
//
// A write changes the namespace and its history in one transaction, which is refused if
// one of the two is not as it was read. The history has an id of every write, so that a
// connection lost in the middle of one leaves no doubt: the next connection looks
// whether it was made. Where that cannot be told any more, because the server stays
// away or too much was written since, the error is none of package namerd's.
//
// Clients that do not know of the history, such as namerd 1.7.5 or zkCli.sh, may write
// too. Their changes are seen, and not in the history. One that deletes a namespace and
// makes it again between the reading and the writing of an Update, which takes a
// millisecond, is not noticed by it.
//
// # Versions
//
// A version is the 4 bytes of the znode's version, which count from 0, followed by the 8
// of the zxid that made the znode: what was deleted and made again does not match. The 4
// bytes alone, which are the versions of namerd 1.7.5, are taken too.
//
// # History
//
// It has the last 100 changes, fewer if they are more than 256 KB, but always the last
// one, and outlives the namespace. Of the namespaces that were deleted the last 1000
// have one.
package zk
