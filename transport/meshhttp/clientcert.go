package meshhttp

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
)

// forwardClientCert sets X-Forwarded-Client-Cert from the caller's certificate, or
// removes it. Without a certificate it is always removed: what an anonymous caller
// says about its certificate is not to be believed.
func forwardClientCert(h http.Header, forward bool, state *tls.ConnectionState) {
	if !forward || state == nil || len(state.PeerCertificates) == 0 {
		delete(h, headerClientCert)
		return
	}
	cert := state.PeerCertificates[0]
	var b strings.Builder
	fmt.Fprintf(&b, "Hash=%X", sha256.Sum256(cert.Raw))
	for _, u := range cert.URIs {
		b.WriteString(";SAN=" + u.String())
	}
	for _, n := range cert.DNSNames {
		b.WriteString(";DNS=" + n)
	}
	fmt.Fprintf(&b, ";Subject=%q", cert.Subject.ToRDNSequence().String())
	h[headerClientCert] = []string{b.String()}
}
