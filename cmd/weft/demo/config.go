package demo

import (
	"fmt"
	"strings"
)

// Namespace is where the control plane keeps the dtab of the incoming router.
const Namespace = "default"

// configuration returns the Linkerd configuration of the demo.
func configuration(m Mesh) string {
	return fmt.Sprintf(`# The mesh of weft demo: a Linkerd 1.x configuration.
admin:
  port: %[1]s

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

# The router in front of the applications asks the control plane where they are
# (namerd.yaml), which keeps its dtab: there it can be changed while all this runs.
- protocol: http
  label: incoming
  interpreter:
    kind: io.l5d.mesh
    dst: /$/inet/127.0.0.1/%[4]s
    root: /%[5]s
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
`, port(m.Admin), port(m.Outgoing), port(m.Incoming), port(m.interpreter), Namespace)
}

// namerdConfiguration returns the namerd configuration of the demo.
func namerdConfiguration(m Mesh) string {
	return fmt.Sprintf(`# The control plane of weft demo: a namerd 1.x configuration.
admin:
  port: %[1]s

# It forgets what was changed. Other kinds keep it: io.weft.file, io.l5d.etcd, ...
storage:
  kind: io.l5d.inMemory
  namespaces:
    %[5]s: "%[6]s"

# The applications are found in files.
namers:
- kind: io.l5d.fs
  rootDir: %[4]s

interfaces:
# For weft dtab, curl and namerctl.
- kind: io.l5d.httpController
  port: %[2]s
# For proxies.
- kind: io.l5d.mesh
  ip: 127.0.0.1
  port: %[3]s
`, port(m.NamerdAdmin), port(m.Namerd), port(m.interpreter), m.Disco, Namespace, Rules)
}

func port(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }
