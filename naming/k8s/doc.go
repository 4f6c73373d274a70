// Package k8s finds endpoints, dtabs and ingresses in the API of Kubernetes: the
// namers io.l5d.k8s, io.l5d.k8s.ns and io.l5d.k8s.external, the dtab of the
// interpreter io.l5d.k8s.configMap, and the table that the identifier
// io.l5d.ingress reads.
//
//	namer         name, under the prefix         id                       consumed
//	k8s           /ns/port/svc[/label]           <prefix>/ns/port/svc     lower case
//	k8s.ns        /port/svc[/label]              <prefix>/port/svc        lower case
//	k8s.external  /ns/port/svc[/label]           <prefix>/ns/port/svc     as written
//
// A label value is part of the name if Config.LabelSelector names a label: objects
// whose label has another value are not there.
//
// # Ports
//
// A port that is not a number is the name of a port of the service. A number is
// the number of a port of the Service object; if its targetPort is a number the
// endpoints have that port, otherwise that of the port with the same name.
//
// # Endpoints
//
// Endpoints come from EndpointSlice objects and, where there are none, from the
// Endpoints object: the API server does not know slices, forbids them, or has none
// for that service. Endpoints that are not ready are left out. Their Meta has
// nodeName, zone, and the hints forZones and forNodes (names separated by commas)
// where known.
//
// An object that is there and does not have the port is Neg, as is one that is not
// there. An API server that does not answer, or answers that it may not say, changes
// nothing: what was known stays in force, marked stale.
//
// # Watches
//
// One list and one watch run per namespace and kind of object, from the first
// observer of one of its services until some time after the last. A watch that ends
// goes on at the version it has reached; only if the server has forgotten that
// version is the namespace listed again.
package k8s
