// Package tlsfiles makes TLS configurations of the files that a proxy's
// configuration names. The files are looked at for every new connection and read
// again when they have changed, so that replacing certificates, also by swapping
// the symbolic links of a Kubernetes secret, takes effect without a restart.
package tlsfiles
