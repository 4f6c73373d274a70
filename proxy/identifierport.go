package proxy

import (
	"encoding/json"
	"net"
	"net/http"
	"time"
)

// identified is what the identifier of one router makes of a request.
type identified struct {
	Path  string `json:"path,omitempty"`
	Dtab  string `json:"dtab,omitempty"`
	Error string `json:"error,omitempty"`
}

// identifierServer answers any request with what each router would call it: the
// key admin.httpIdentifierPort.
func (p *Proxy) identifierServer() *http.Server {
	return &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := map[string]identified{}
		for _, router := range p.routers {
			if router.Identify == nil {
				continue
			}
			path, local, err := router.Identify(r)
			if err != nil {
				answer[router.Label] = identified{Error: err.Error()}
				continue
			}
			answer[router.Label] = identified{Path: path.String(), Dtab: local.String()}
		}
		w.Header().Set("Content-Type", "application/json")
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(answer) // the caller may have gone
	})}
}

// openIdentifier opens the listener of the identifier server, nil if there is none.
func (p *Proxy) openIdentifier() (net.Listener, error) {
	port := p.cfg.Admin.HTTPIdentifierPort
	if port == nil {
		return nil, nil //nolint:nilnil // no listener is configured
	}
	admin := p.cfg.Admin
	admin.Port = port
	return p.open(admin.Addr(), admin.SocketOptions)
}
