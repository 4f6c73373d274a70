// Package meshgrpc puts the mesh under gRPC stubs: a Conn is a
// grpc.ClientConnInterface whose name is bound through the dtab, call by call.
//
//	mesh, err := meshgrpc.New(meshgrpc.Options{Mesh: transport.Options{Interpreter: interp}})
//	users := pb.NewUsersClient(mesh.Conn("users")) // the name /svc/users
//
// Every call picks an endpoint, and the outcome of every attempt steers the
// balancer, the breakers, the budgets and the metrics. The per-request dtab of
// the context (weft.WithDtab), its deadline and its trace go along in l5d-ctx-*
// metadata; the server interceptors put them back into the context of the
// handler, so that the calls it makes carry them on.
//
// # Retries
//
// A unary call is sent again when the Classifier says so, on the budget of the
// service, and when nothing of it was processed, on that of the client. A stream
// keeps the endpoint that it was created on. It is made again while it is being
// created; after that only as long as nothing was received, and what was sent is a
// replay of at most Options.MaxReplay bytes: when the Classifier says so, if the
// caller has closed its sending side too, which is every server-streaming call and
// no conversation; when the endpoint provably did not look at it, as one that is
// leaving, every stream.
//
// Streams under way stay where they are when discovery drops their endpoint, or
// when it says GOAWAY; its connection is closed after the last of them.
//
// grpc-go's own retries are off, but for its transparent retry on the same
// connection of a stream that the server refused before looking at it, which it
// does for streams without messages, and for conversations up to MaxReplay.
//
// # Readiness
//
// Calls never wait for a connection that was tried and failed, whatever
// grpc.WaitForReady says: another endpoint may do, and if none does the caller
// learns it. A name without endpoints fails with UNAVAILABLE at once.
package meshgrpc
