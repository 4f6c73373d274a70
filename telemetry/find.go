package telemetry

import (
	"net/url"
	"strings"
)

// Find returns the scope whose path below s, joined by slashes, is q; nil if there is
// none. An element with slashes in it may be given as it is, or with them as %2F. Where
// several readings of q exist the one that splits at the earliest slash wins, which is
// the only one that the original knows.
func (s *Scope) Find(q string) *Scope {
	if s == nil {
		return nil
	}
	t := s.tree()
	t.mu.RLock()
	defer t.mu.RUnlock()
	if q = strings.Trim(q, "/"); q == "" {
		return s
	}
	if found := s.find(q); found != nil || !strings.Contains(q, "%") {
		return found
	}
	for e := range strings.SplitSeq(q, "/") {
		name, err := url.PathUnescape(e)
		if err != nil {
			return nil // no name is escaped like that
		}
		if s = s.lookup(name); s == nil {
			return nil
		}
	}
	return s
}

// find is called with a lock of Tree.mu held.
func (s *Scope) find(q string) *Scope {
	for end := 0; end < len(q); end++ {
		slash := strings.IndexByte(q[end:], '/')
		if slash < 0 {
			return s.lookup(q)
		}
		end += slash
		if k := s.lookup(q[:end]); k != nil {
			if found := k.find(q[end+1:]); found != nil {
				return found
			}
		}
	}
	return s.lookup(q)
}
