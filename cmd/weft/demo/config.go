package demo

import (
	"fmt"
	"strings"
)

// incomingDtab is the dtab of the incoming router. It is a file of its own so that
// traffic can be shifted by editing it.
const incomingDtab = `/srv => /#/io.l5d.fs ;
/svc => /srv ;
`

// configuration returns the Linkerd configuration of the demo.
func configuration(m Mesh) string {
	port := func(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }
	return fmt.Sprintf(`# The mesh of weft demo: a Linkerd 1.x configuration.
admin:
  port: %[1]s

namers:
- kind: io.l5d.fs
  rootDir: %[4]s

routers:
# Applications send their requests here. Whatever they ask for, the incoming
# router in front of it is next.
- protocol: http
  label: outgoing
  dtab: |
    /srv => /$/inet/127.0.0.1/%[3]s ;
    /svc => /srv ;
  servers:
  - port: %[2]s

# The router in front of the applications finds them in files. Its dtab is in a
# file too, so that it can be changed while it runs.
- protocol: http
  label: incoming
  interpreter:
    kind: io.l5d.fs
    dtabFile: %[5]s
  service:
    responseClassifier:
      kind: io.l5d.http.retryableRead5XX
  client:
    loadBalancer:
      kind: ewma
  servers:
  - port: %[3]s

telemetry:
- kind: io.l5d.prometheus
- kind: io.l5d.recentRequests
  sampleRate: 1.0
`, port(m.Admin), port(m.Outgoing), port(m.Incoming), m.Disco, m.Dtab)
}
