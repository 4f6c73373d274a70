// Package transformer changes what names are bound to: Linkerd's transformers.
//
// A Transformer takes the tree that a name is bound to, with its endpoint sets, and
// makes another one of it: other ports, only the endpoints on this machine, the
// proxies on the endpoints' machines instead of the endpoints. Interpreter and Namer
// put transformers behind an interpreter, where they see every name, or behind a
// namer, where they see that namer's names.
//
// What is transformed is known by it: its id is the transformer's prefix, under /%,
// followed by the id that it had. Of several transformers each sees the result of
// the one before it, so the last one's prefix comes first. Strip takes such prefixes
// off.
//
// When a transformer leaves no endpoint of a set, the set says that there is no such
// name, but the tree is as it was: there is no failover to another branch, since
// which branch is taken was decided before.
package transformer
