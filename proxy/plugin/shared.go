package plugin

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// Shared holds what several plug-ins of one proxy use together, such as the
// connection to an API server, so that each need not have its own. It is safe for
// concurrent use. Who made it closes it, after all plug-ins.
type Shared struct {
	mu     sync.Mutex
	made   map[any]any
	order  []io.Closer
	closed bool
}

// Share returns the value of key, which build makes unless somebody has asked for it
// before. Keys are compared with ==; a package keeps to keys of types of its own. A
// nil Shared makes a value for every call, which nobody closes.
func Share[T io.Closer](s *Shared, key any, build func() (T, error)) (T, error) {
	if s == nil {
		return build()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var none T
	if s.closed {
		return none, errors.New("plugin: closed")
	}
	if v, ok := s.made[key]; ok {
		t, ok := v.(T)
		if !ok {
			return none, fmt.Errorf("plugin: %v is shared as a %T, want a %T", key, v, none)
		}
		return t, nil
	}
	v, err := build()
	if err != nil {
		return none, err
	}
	if s.made == nil {
		s.made = map[any]any{}
	}
	s.made[key] = v
	s.order = append(s.order, v)
	return v, nil
}

// Close closes everything, last made first.
func (s *Shared) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var err error
	for _, c := range slices.Backward(s.order) {
		err = errors.Join(err, c.Close())
	}
	s.order, s.made = nil, nil
	return err
}
