// Package daemon makes a running control plane of a namerd configuration: the
// store, the namers, the interfaces and the admin server. Which kinds of stores and
// interfaces there are is said by the registry that the configuration was loaded
// with; package proxy/standard has those of weft.
package daemon
