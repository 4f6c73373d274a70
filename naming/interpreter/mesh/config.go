package mesh

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

// Config is the configuration of the interpreter. The zero value is the default.
type Config struct {
	// Root is the path with the namespace as its only element. The empty path is
	// /default.
	Root dtab.Path `yaml:"root"`

	// RetryBase and RetryMax bound the delay before a question that namerd answered
	// with an error is asked again. Zero is 1 s and 600 s.
	RetryBase time.Duration `yaml:"-"`
	RetryMax  time.Duration `yaml:"-"`

	// MinPeriod is how often namerd must show that it is there, and CloseTimeout how
	// long it may take to. Zero is 5 s and 6 s.
	MinPeriod    time.Duration `yaml:"-"`
	CloseTimeout time.Duration `yaml:"-"`

	// InitialStreamWindowSizeKB is how much a stream may bring before it has to wait
	// for the reader, in units of 1024 bytes. Zero is 10240.
	InitialStreamWindowSizeKB int `yaml:"initialStreamWindowSizeKB"`

	// Base is the router's dtab, which is sent along before the rules of the request.
	Base dtab.Dtab `yaml:"-"`

	// TLS is the client side of TLS, nil for none.
	TLS *tls.Config `yaml:"-"`
}

const kind = "io.l5d.mesh"

// remote returns c in the words of package remote.
func (c Config) remote() (remote.Config, error) {
	if c.Root.IsEmpty() {
		c.Root = dtab.MustPath("/default")
	}
	if c.Root.Len() != 1 {
		return remote.Config{}, fmt.Errorf("%s: `root` may only contain a single path element (for now): %s", kind, c.Root)
	}
	return remote.Config{
		Kind: kind, Namespace: c.Root.Elem(0), Base: c.Base, TLS: c.TLS,
		RetryBase: c.RetryBase, RetryMax: c.RetryMax, PingEvery: c.MinPeriod, PingTimeout: c.CloseTimeout,
	}.Check(time.Second, 6*time.Second)
}
