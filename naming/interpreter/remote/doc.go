// Package remote is what the interpreters that ask a namerd have in common,
// whatever they ask it in: one connection to one of namerd's endpoints, kept alive,
// moved and replaced; one watch per name, per bound id and for the dtab of the
// namespace, on that connection; the last good answers while there is none.
//
// The packages mesh, namerd and namerdhttp bring the protocols, as Sessions.
//
// Two kinds of trouble are kept apart. While namerd cannot be reached, or the
// connection is lost, the question has not been answered: names that were never
// bound wait (naming.UnansweredError), names that were stay bound, and the question is asked again
// the moment there is a connection, which is tried for about once a second. An
// answer that is an error is news of its own: names that were never bound have
// failed with namerd's text, and the question is asked again after the configured
// back-off, or with the next connection if that comes first.
package remote
