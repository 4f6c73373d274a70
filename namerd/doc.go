// Package namerd is the control plane: dtabs in namespaces, kept in a store, and
// the names that proxies bind by them. It is what Linkerd's namerd is, as a
// library: a Store and namers go in, an interface (namerd/httpapi, namerd/meshapi,
// namerd/thriftapi, namerd/destination) serves what New returns.
//
//	store := memory.New(memory.Options{})
//	n, err := namerd.New(namerd.Options{Store: store, Namers: namers, Global: global})
//	go http.Serve(listener, httpapi.New(n, httpapi.Options{}))
//
// Nothing here knows a protocol or a configuration file; namerd/daemon does.
package namerd
