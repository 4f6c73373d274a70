package meshhttp

import (
	"net/http"

	"github.com/weft-mesh/weft/propagation"
)

// fields is a header with room for the values that every request gets, so that
// they are allocated together. Values once set are not overwritten: an attempt
// that was given up may still be writing them.
type fields struct {
	http.Header

	room [6][1]string
	used int
}

var _ propagation.Carrier = (*fields)(nil)

// Values implements propagation.Carrier.
func (f *fields) Values(key string) []string { return f.Header[key] }

// Set implements propagation.Carrier.
func (f *fields) Set(key, value string) {
	if f.used == len(f.room) {
		f.Header[key] = []string{value}
		return
	}
	v := f.room[f.used][:]
	f.used++
	v[0] = value
	f.Header[key] = v
}

// Del implements propagation.Carrier.
func (f *fields) Del(key string) { delete(f.Header, key) }
