package child

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/weft-mesh/weft/internal/testcert"
)

// Router is a router of a test: every name leads to one port of this host, unless
// there is a dtab.
type Router struct {
	Protocol string // default http
	Label    string // default the protocol
	To       string // port
	Dtab     string // instead of To, in one line
	Server   string // keys of its server section, as in a YAML flow mapping: "maxConcurrentRequests: 1, …"
	Client   string // keys of its client section
	Service  string // keys of its service section
	More     string // keys of the router
}

// Config returns the configuration of a proxy on free ports.
func Config(routers ...Router) string {
	var b strings.Builder
	b.WriteString("admin: {port: 0, shutdownGraceMs: 2000}\nrouters:\n")
	for _, r := range routers {
		r.Protocol = cmp.Or(r.Protocol, "http")
		r.Label = cmp.Or(r.Label, r.Protocol)
		r.Dtab = cmp.Or(r.Dtab, "/svc/* => /$/inet/127.1/"+r.To)
		fmt.Fprintf(&b, "- protocol: %s\n  label: %s\n  dtab: '%s'\n", r.Protocol, r.Label, r.Dtab)
		fmt.Fprintf(&b, "  servers:\n  - {%s}\n", strings.TrimSuffix("port: 0, "+r.Server, ", "))
		for _, s := range [][2]string{{"client", r.Client}, {"service", r.Service}} {
			if s[1] != "" {
				fmt.Fprintf(&b, "  %s: {%s}\n", s[0], strings.TrimPrefix(s[1], ", "))
			}
		}
		if r.More != "" {
			fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(r.More, "\n", "\n  "))
		}
	}
	return b.String()
}

// ServerTLS is the key of a server that shows a certificate.
func ServerTLS(f testcert.Files) string {
	return fmt.Sprintf("tls: {certPath: '%s', keyPath: '%s'}", f.Cert, f.Key)
}

// ClientTLS is the key of a client that wants a server with a name.
func ClientTLS(f testcert.Files, name string) string {
	return fmt.Sprintf("tls: {commonName: %s, trustCertsBundle: '%s'}", name, f.CA)
}
