// Package mesh is the interpreter io.l5d.mesh: it asks a namerd over gRPC, package
// io.linkerd.mesh, for the trees that names are bound to and the endpoints of the
// ids in them, and for explanations.
package mesh
