package prom

import (
	"slices"
	"strings"
)

// shape is a place in the tree once what becomes a label is taken out of its path: the
// scopes of a shape are the samples of a family. The elements of a path are read one
// after the other; whenever those kept so far are a known prefix, the next one becomes
// the value of a label:
//
//	rt, R                            rt="R"
//	rt, service|client|server, X     service|client|server="X"
//	rt, client, service, X           service="X"
//	rt, <stack>, failures, X, …      exception="X:…"
//	rt, <stack>, exn, X, …           exception="X:…", and exn is called exceptions
//
// Failures below rt, client, service are too deep for the last two, and keep their names
// in the metric's name, as in the original.
type shape struct {
	elems []string // those of the name
	elem  string   // the one below its parent
	had   uint8    // labels that were given

	label string            // what the next element is the value of; empty if it is part of the name
	after *shape            // of the next element, if it is the value of a label
	kids  map[string]*shape // by next element, if it is part of the name
	order []*shape          // the kids as they came
	place int               // in the order of its parent
	guess int               // the place of the kid that is likely to be asked for next

	joined string  // see name
	family *family // of the worker whose shapes these are; nil until there is a sample
}

// The labels that a path can have been given so far.
const (
	hadRouter = 1 << iota
	hadStack
	hadService
)

// exception is the label that takes all elements that follow.
const exception = "exception"

func newShape(had uint8, elems ...string) *shape {
	s := &shape{elems: elems, had: had}
	n := len(elems)
	switch {
	case n == 0 || elems[0] != "rt":
	case n == 1 && had&hadRouter == 0:
		s.label, had = "rt", had|hadRouter
	case n == 2 && had&hadStack == 0 && isStack(elems[1]):
		s.label, had = elems[1], had|hadStack
		if s.label == "service" {
			had |= hadService
		}
	case n == 3 && had&hadService == 0 && elems[1] == "client" && elems[2] == "service":
		s.label, had = "service", had|hadService
	case n == 3 && isStack(elems[1]) && elems[2] == "failures":
		s.label = exception
	case n == 3 && isStack(elems[1]) && elems[2] == "exn":
		s.label, elems = exception, []string{"rt", elems[1], "exceptions"}
	}
	if s.label != "" {
		s.after = &shape{elems: elems}
		if s.label != exception {
			s.after = newShape(had, elems...)
		}
	}
	return s
}

// kid is the shape of an element below s that is part of the name.
func (s *shape) kid(elem string) *shape {
	if s.guess >= len(s.order) {
		s.guess = 0
	}
	// Scopes of a shape have mostly the same names in them, in the same order.
	if s.guess < len(s.order) && s.order[s.guess].elem == elem {
		s.guess++
		return s.order[s.guess-1]
	}
	k := s.kids[elem]
	if k == nil {
		if s.kids == nil {
			s.kids = map[string]*shape{}
		}
		k = newShape(s.had, append(slices.Clip(s.elems), elem)...)
		k.elem, k.place = elem, len(s.order)
		s.kids[elem] = k
		s.order = append(s.order, k)
	}
	s.guess = k.place + 1
	return k
}

// name is that of the metrics of the shape: its elements joined, and the characters
// replaced that names cannot have. All calls must have the same prefix.
func (s *shape) name(prefix string) string {
	if s.joined == "" {
		name := []byte(prefix + strings.Join(s.elems, ":"))
		for i, c := range name {
			if !isNameChar(c) {
				name[i] = '_'
			}
		}
		s.joined = string(name)
	}
	return s.joined
}

// validName is a name that does not begin with a digit.
func validName(name string) string {
	if name == "" || '0' <= name[0] && name[0] <= '9' {
		return "_" + name
	}
	return name
}

func isStack(e string) bool { return e == "service" || e == "client" || e == "server" }

func isNameChar(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == ':'
}
