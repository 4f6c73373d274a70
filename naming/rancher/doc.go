// Package rancher is the namer io.l5d.rancher, whose names are the services of a
// Rancher 1.x environment and whose endpoints are their running containers, as the
// metadata service that Rancher runs on every host tells of them.
//
//	name, under the prefix   answer
//	/8080/shop/web           the containers of web in the stack shop at port 8080
//	/http/shop/web/r…        the same at the port that http is mapped to, 80; residual /r…
//	/other/shop/web          Neg: other is neither a port nor mapped to one
//	/http/shop               Neg
//
// The stack and the service are compared ignoring case; the id keeps the case of the
// name. A service without running containers is Neg. A container has one address,
// its primary_ip in Rancher's network.
//
// # How it stays up to date
//
// One long poll for all names waits for the version of the metadata to change; then
// the list of containers is read again. Failures are retried with a back-off of at
// most 5 s; until then the last good list stays in force, marked stale. An answer of
// another shape than Rancher's is a failure and never an empty list. Containers that
// cannot be understood are left out, counted and logged.
package rancher
