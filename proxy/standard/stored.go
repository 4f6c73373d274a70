package standard

import (
	"errors"
	"io"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/proxy/plugin"
)

// dtabSource is a dtab that is kept elsewhere: in a file, a config map, Consul.
type dtabSource interface {
	weft.Source[naming.State[dtab.Dtab]]
	naming.Reporter
	io.Closer
}

// stored is the interpreter of names with a dtab that is kept elsewhere.
type stored struct {
	*naming.Default
	bare *naming.Default // the same without the router's dtab
	dtab dtabSource
	key  string
}

// newStored returns an interpreter whose state page has the key.
func newStored(key string, d dtabSource, e plugin.InterpreterEnv) *stored {
	o := naming.Options{Namers: e.Namers, Global: e.Global, Stored: d}
	s := &stored{key: key, dtab: d, bare: naming.NewInterpreter(o)}
	o.Base = e.Base
	s.Default = naming.NewInterpreter(o)
	return s
}

// Bare implements plugin.Bare.
func (s *stored) Bare() naming.Delegator { return s.bare }

// Stored implements plugin.DtabHolder: the dtab in force.
func (s *stored) Stored() dtab.Dtab {
	st, _ := s.dtab.Load()
	return st.Value
}

// StateKey implements plugin.StatePage.
func (s *stored) StateKey() string { return s.key }

// Watches implements naming.Reporter.
func (s *stored) Watches() []naming.WatchStatus { return s.dtab.Watches() }

// Close ends the interpreters, then the watch of the dtab.
func (s *stored) Close() error { return errors.Join(s.Default.Close(), s.bare.Close(), s.dtab.Close()) }
