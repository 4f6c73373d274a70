package http2

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// maxNames bounds the names that a names remembers, so that peers which invent
// names cannot fill the memory; others are converted anew each time.
const maxNames = 512

// names converts field names between HTTP/2's lower case and http.Header's canonical
// form, without allocating for names seen before. It is safe for concurrent use.
type names struct {
	canonical nameTable // by lower-case name
	lower     nameTable // by canonical name
}

// canonicalName returns http.Header's key for the lower-case name.
func (n *names) canonicalName(name string) string {
	return n.canonical.get(name, http.CanonicalHeaderKey)
}

// lowerName returns the name on the wire of an http.Header key.
func (n *names) lowerName(key string) string { return n.lower.get(key, strings.ToLower) }

// nameTable is a map that is copied when it grows: it stops growing soon and is read
// with every field.
type nameTable struct {
	table atomic.Pointer[map[string]string]
	mu    sync.Mutex // held to replace table
}

func (t *nameTable) get(name string, convert func(string) string) string {
	if m := t.table.Load(); m != nil {
		if s, ok := (*m)[name]; ok {
			return s
		}
		if len(*m) >= maxNames {
			return convert(name)
		}
	}
	return t.add(name, convert(name))
}

func (t *nameTable) add(name, converted string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := make(map[string]string, 16)
	if old := t.table.Load(); old != nil {
		if len(*old) >= maxNames {
			return converted
		}
		maps.Copy(m, *old)
	}
	// A copy, for the name may be a part of a much larger string.
	m[strings.Clone(name)] = converted
	t.table.Store(&m)
	return converted
}
