package namerd

import (
	"crypto/tls"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

// Config is the configuration of the interpreter. The zero value is the default.
type Config struct {
	// Namespace is whose dtab names are bound with. Empty is default.
	Namespace string `yaml:"namespace"`

	// RetryBase and RetryMax bound the delay before a question that namerd answered
	// with an error is asked again. Zero is 5 s and 600 s.
	RetryBase time.Duration `yaml:"-"`
	RetryMax  time.Duration `yaml:"-"`

	// MinPeriod is how often namerd must show that it is there, and CloseTimeout how
	// long it may take to. Zero is 5 s and 4 s.
	MinPeriod    time.Duration `yaml:"-"`
	CloseTimeout time.Duration `yaml:"-"`

	// Base is the router's dtab, which is sent along before the rules of the request.
	Base dtab.Dtab `yaml:"-"`

	// TLS is the client side of TLS, nil for none.
	TLS *tls.Config `yaml:"-"`
}

const kind = "io.l5d.namerd"

// remote returns c in the words of package remote.
func (c Config) remote() (remote.Config, error) {
	if c.Namespace == "" {
		c.Namespace = "default"
	}
	return remote.Config{
		Kind: kind, Namespace: c.Namespace, Base: c.Base, TLS: c.TLS,
		RetryBase: c.RetryBase, RetryMax: c.RetryMax, PingEvery: c.MinPeriod, PingTimeout: c.CloseTimeout,
	}.Check(5*time.Second, 4*time.Second)
}
