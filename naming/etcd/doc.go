// Package etcd is the namer io.l5d.etcd, whose services are keys of an etcd
// cluster (v3). Linkerd 1.x had none.
//
//	name, under the prefix  in etcd                              answer
//	/web                    <pathPrefix>/web/<instance> …        bound, id <prefix>/web
//	/web/r…                 the same                             the same, residual /r…
//	/other                  no key below <pathPrefix>/other/     Neg
//
// Each key below <pathPrefix>/<service>/ is an instance. Its value is one of
//
//	10.0.0.1:8080                                               an address
//	{"addr": "10.0.0.1:8080", "weight": 0.5, "meta": {"zone": "eu"}}
//	{"Op": 0, "Addr": "10.0.0.1:8080", "Metadata": {"zone": "eu"}}
//
// The last one is what the module go.etcd.io/etcd/client/v3/naming/endpoints
// writes, so services that register with it for its gRPC resolver are found; its
// target is <pathPrefix>/<service>. A weight of 0 takes no traffic, none is 1.
// Hosts that are not IP addresses are resolved with [Options].Resolve. As for
// that resolver, keys further below, such as <pathPrefix>/web/eu/1, are instances
// of web too. Two instances with the same address are one endpoint, and the key
// that sorts first says what it is like.
//
// A value that cannot be read is reported once, counted, and left out. If its key
// had one that could be read before, that one stays in force: the instance is
// still there. A service all of whose keys are unreadable has an empty set.
//
// # Changes
//
// Every service that somebody observes is listed once and then watched from the
// revision of the list, so nothing in between is missed. All watches share one
// connection and one stream, which begin with the first look-up and end with
// Close. Changes that etcd made in one transaction are seen in one step.
//
// While etcd cannot be reached, has no leader or refuses the credentials, the last
// good endpoints stay in force, marked stale. Watches then go on where they
// stopped; where that is not possible (the revision was compacted, the cluster is
// not the one it was), the services are listed again. They also are now and then
// ([Options].Resync), in case of what nobody has thought of. Besides the keepalives
// of the connection, a small read every few seconds ([Options].Probe) finds out
// whether etcd still answers; a connection that has gone silent is replaced.
//
// An instance that is registered with a lease goes away when etcd lets the lease
// expire. That etcd itself was away does not expire leases.
package etcd
