package meshhttp

import "crypto/x509"

// DescribeCert returns what X-Forwarded-Client-Cert says of a certificate, in Envoy's
// format as Linkerd writes it.
func DescribeCert(cert *x509.Certificate) string { return describeCert(cert) }

// EncodeErr returns text as the value of l5d-err: URL-encoded and cut to limit bytes,
// 8 KiB if that is zero.
func EncodeErr(text string, limit int) string { return encodeErr(text, limit) }
