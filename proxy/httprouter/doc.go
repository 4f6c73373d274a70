// Package httprouter makes routers of protocol http: a meshhttp.Transport as its
// configuration says, and a listener's handler for each of its servers.
package httprouter
