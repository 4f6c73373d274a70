package http2

import (
	"net/http"
	"strings"
	"sync"

	"golang.org/x/net/http2/hpack"
)

// headPool keeps the slices in which heads are put together.
type headPool struct{ pool sync.Pool }

func (p *headPool) get() *[]hpack.HeaderField {
	if f, ok := p.pool.Get().(*[]hpack.HeaderField); ok {
		return f
	}
	f := make([]hpack.HeaderField, 0, 24)
	return &f
}

func (p *headPool) put(f *[]hpack.HeaderField) {
	clear(*f) // not to keep the strings
	*f = (*f)[:0]
	p.pool.Put(f)
}

// connectionField says whether the field of that lower-case name belongs to an HTTP/1
// connection, so that it has no place in HTTP/2 (RFC 9113 8.2.2). te is judged by its
// value.
func connectionField(name string) bool {
	switch name {
	case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
		return true
	}
	return false
}

// header makes an http.Header of fields, which are without pseudo-headers.
func (n *names) header(fields []hpack.HeaderField) http.Header {
	h := make(http.Header, len(fields))
	values := make([]string, len(fields)) // one array for them all
	for i, f := range fields {
		key := n.canonicalName(f.Name)
		if old, ok := h[key]; ok {
			h[key] = append(old, f.Value)
			continue
		}
		values[i] = f.Value
		h[key] = values[i : i+1 : i+1]
	}
	return h
}

// announced takes the Trailer field out of h and returns a header with the keys that it
// names, nil if there is none.
func announced(h http.Header) http.Header {
	lines, ok := h["Trailer"]
	if !ok {
		return nil
	}
	delete(h, "Trailer")
	var t http.Header
	for _, line := range lines {
		for key := range strings.SplitSeq(line, ",") {
			key = http.CanonicalHeaderKey(strings.TrimSpace(key))
			switch key {
			case "", "Transfer-Encoding", "Trailer", "Content-Length":
				continue
			}
			if t == nil {
				t = http.Header{}
			}
			t[key] = nil
		}
	}
	return t
}

// appendHeader appends the fields of h, lower-case, without those that belong to an
// HTTP/1 connection and without those that skip names.
func (n *names) appendHeader(fields []hpack.HeaderField, h http.Header, skip func(name string) bool) []hpack.HeaderField {
	for key, values := range h {
		name := n.lowerName(key)
		if connectionField(name) || skip != nil && skip(name) {
			continue
		}
		for _, v := range values {
			if name == "te" && v != "trailers" {
				continue
			}
			fields = append(fields, hpack.HeaderField{Name: name, Value: v})
		}
	}
	return fields
}
