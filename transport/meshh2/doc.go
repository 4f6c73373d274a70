// Package meshh2 carries HTTP/2 streams, gRPC among them, through the mesh without
// a goroutine or a request object for each: identifiers, header rules, classifiers,
// retries and errors as Linkerd's h2 routers have them.
package meshh2
