package remote

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/weft-mesh/weft/dtab"
)

// Config is how a namerd is asked. The protocols fill it from their own
// configuration and defaults.
type Config struct {
	// Kind begins the texts of errors, such as io.l5d.mesh.
	Kind string

	// Namespace is whose dtab names are bound with, for texts.
	Namespace string

	// Base is the router's dtab. It is sent with every question, before the rules of
	// the request.
	Base dtab.Dtab

	// TLS is the client side of TLS, nil for none. Without a ServerName the host of
	// the endpoint is verified.
	TLS *tls.Config

	// RetryBase and RetryMax bound the delay before a question that namerd answered
	// with an error is asked again. It doubles from the one to the other, each
	// shortened by a random part of up to a half, and starts anew after a good answer.
	// They have no say in how soon a lost connection is replaced.
	RetryBase, RetryMax time.Duration

	// PingEvery is how often namerd must show that it is there, and PingTimeout how
	// long it may take to; after that the connection is given up.
	PingEvery, PingTimeout time.Duration

	// EncodeDtab gives the form in which Question.Rules has the rules. Nil is their
	// text, which has weights with two decimals.
	EncodeDtab func(dtab.Dtab) string
}

// Check completes the delays with the given defaults and says what is wrong with
// them.
func (c Config) Check(base, pingTimeout time.Duration) (Config, error) {
	if c.RetryBase < 0 || c.RetryMax < 0 {
		return c, fmt.Errorf("%s: retry: base %s and max %s must not be negative", c.Kind, c.RetryBase, c.RetryMax)
	}
	if c.RetryBase == 0 {
		c.RetryBase = base
	}
	if c.RetryMax == 0 {
		c.RetryMax = max(600*time.Second, c.RetryBase)
	}
	if c.RetryBase > c.RetryMax {
		return c, fmt.Errorf("%s: retry: base %s must not be greater than max %s", c.Kind, c.RetryBase, c.RetryMax)
	}
	if c.PingEvery < 0 || c.PingTimeout < 0 {
		return c, fmt.Errorf("%s: failure threshold: period %s and timeout %s must not be negative", c.Kind, c.PingEvery, c.PingTimeout)
	}
	if c.PingEvery == 0 {
		c.PingEvery = 5 * time.Second
	}
	if c.PingTimeout == 0 {
		c.PingTimeout = pingTimeout
	}
	if c.EncodeDtab == nil {
		c.EncodeDtab = dtab.Dtab.String
	}
	return c, nil
}

// errNoEndpoints is the fault of Options without Endpoints.
var errNoEndpoints = errors.New("options: Endpoints is required: where namerd is")
