package meshh2

// ConnectionField returns the name of a field that is about one connection, so that
// HTTP/2 forbids it (RFC 9113, 8.2.2); a te other than trailers is one. The message
// is malformed: its stream is reset with PROTOCOL_ERROR.
//
// Like Linkerd it refuses proxy-authenticate, and like it in effect lets
// proxy-authorization pass, which is end to end as often as not.
func ConnectionField(h *Head) (name string, found bool) {
	for i := range h.Fields {
		f := &h.Fields[i]
		switch f.Name {
		case "connection", "keep-alive", "proxy-authenticate", "proxy-connection", "trailer", "transfer-encoding", "upgrade":
			return f.Name, true
		case "te":
			if f.Value != "trailers" {
				return f.Name, true
			}
		}
	}
	return "", false
}
