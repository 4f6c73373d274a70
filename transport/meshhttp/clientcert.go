package meshhttp

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
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
	h[headerClientCert] = []string{describeCert(state.PeerCertificates[0])}
}

// describeCert is Envoy's format, as Linkerd writes it: the URI and DNS names in
// the order of the certificate, which package x509 does not keep.
func describeCert(cert *x509.Certificate) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Hash=%X", sha256.Sum256(cert.Raw))
	for _, e := range cert.Extensions {
		if e.Id.Equal(oidSubjectAltName()) {
			writeNames(&b, e.Value)
		}
	}
	subject := cert.Subject.String()
	var rdn pkix.RDNSequence
	if _, err := asn1.Unmarshal(cert.RawSubject, &rdn); err == nil {
		subject = rdn.String() // in the certificate's order, other than Subject
	}
	b.WriteString(`;Subject="` + subject + `"`)
	return b.String()
}

// writeNames writes the URI and DNS names of a subjectAltName extension (RFC 5280,
// 4.2.1.6). What cannot be read is left out.
func writeNames(b *strings.Builder, ext []byte) {
	const tagDNS, tagURI = 2, 6
	var names []asn1.RawValue
	if _, err := asn1.Unmarshal(ext, &names); err != nil {
		return
	}
	for _, n := range names {
		switch {
		case n.Class == asn1.ClassContextSpecific && n.Tag == tagURI:
			b.WriteString(";SAN=" + printable(n.Bytes))
		case n.Class == asn1.ClassContextSpecific && n.Tag == tagDNS:
			b.WriteString(";DNS=" + printable(n.Bytes))
		}
	}
}

// printable drops what must not be in a header: the certificate may be one that
// nobody has verified.
func printable(name []byte) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, string(name))
}

func oidSubjectAltName() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, 17} }
