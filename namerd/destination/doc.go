// Package destination is namerd's interface io.l5d.destination: the gRPC service
// io.linkerd.proxy.destination.Destination, which tells proxies of Linkerd 2 the
// endpoints of services, as far as Linkerd 1.7.5 had it.
//
//	s := destination.New(n, destination.Options{})
//	go s.Serve(listener)
//	defer s.Close()
//
// The name that is bound is the prefix and the first label of the service's name in
// the cluster's DNS: hello.svc.cluster.local is /svc/hello.
package destination
