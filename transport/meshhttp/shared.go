package meshhttp

import (
	"context"
	"crypto/x509"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/transport"
)

// DescribeCert returns what X-Forwarded-Client-Cert says of a certificate, in Envoy's
// format as Linkerd writes it.
func DescribeCert(cert *x509.Certificate) string { return describeCert(cert) }

// EncodeErr returns text as the value of l5d-err: URL-encoded and cut to limit bytes,
// 8 KiB if that is zero.
func EncodeErr(text string, limit int) string { return encodeErr(text, limit) }

// Resolution returns how a name became the client of that id, one step each: every
// name, with the rule that led to it. It is what TRACE diagnostics tell, and waits
// for the naming.
func Resolution(ctx context.Context, r *transport.Router, dest *transport.Dest, id dtab.Path) []string {
	d, ok := r.Options().Interpreter.(naming.Delegator)
	if !ok {
		return []string{dest.Path().String()}
	}
	ctx, cancel := context.WithTimeout(ctx, explainTime)
	defer cancel()
	// An explanation that is not complete may well have what is wanted of it.
	tree, _ := d.Delegate(ctx, dest.Local(), dest.Path())
	if steps, ok := stepsTo(&tree, id); ok {
		return steps
	}
	return []string{dest.Path().String()}
}
