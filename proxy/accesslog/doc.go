// Package accesslog writes the access logs of routers: a line for every attempt that
// got a response, in Linkerd's format or as a JSON object, into files that are rolled
// by time, by size or on demand.
package accesslog
