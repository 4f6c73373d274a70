// Package naming turns logical names into endpoint sets and keeps the answer up
// to date.
//
// A Namer answers for a part of the name space from service discovery. An
// Interpreter rewrites a path with a dtab and asks namers until every leaf of
// the resulting tree is bound. Whatever changes is a weft.Source holding a State:
// pending, known, failed, or stale with the last good value.
//
// # How a name is kept bound
//
// Default, the interpreter that works in this process, reads a name from the top
// by ordinary recursion: dtab, namers, the trees they answer with, and so on. On
// its way it collects the stale channels of what it reads; as soon as one of them is
// closed it reads everything again. There are no callbacks
// and nothing to unsubscribe from: a look-up lives exactly as long as the latest
// reading asks for it, and all of them end with the context given to Bind.
//
// The semantics (failover only past names that do not exist, unions without the
// branches that are not there yet, the depth limit and its text) are those of
// Finagle 21.4 as Linkerd 1.7.5 uses it. Delegate explains them for one name.
//
// # Writing a namer
//
// What knows how to watch something is a Watcher: one blocking function. Shared
// runs one watch per key for all observers, lets it linger when the last one has
// left, restarts it with back-off and keeps the last good value. LeafWhilePresent
// makes a Namer's answer of an observed endpoint set; FollowFunc is a Watcher for
// values that follow from other Sources, which costs no goroutine while it waits; Fixed, Following and Answer
// are for answers that are simpler than that, Derive for values that follow from
// another.
package naming
