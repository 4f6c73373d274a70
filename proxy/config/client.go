package config

import (
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming/match"
)

// Client is the client section of a router: one policy for all bound names, or
// several by pattern.
type Client struct{ Policies[ClientPolicy] }

// ClientPolicy is how requests to one bound name are sent. Nil keys mean the
// defaults.
type ClientPolicy struct {
	TLS            *ClientTLS `yaml:"tls"`
	LoadBalancer   *Part      `yaml:"loadBalancer" weft:"role=loadBalancer"`     // p2c
	FailureAccrual *Part      `yaml:"failureAccrual" weft:"role=failureAccrual"` // 5 consecutive failures

	HostConnectionPool *HostConnectionPool `yaml:"hostConnectionPool"`
	FailFast           *bool               `yaml:"failFast"`

	// RequestAttemptTimeout is that of one attempt; nil is none.
	RequestAttemptTimeout *time.Duration `yaml:"requestAttemptTimeoutMs" weft:"unit=ms"`

	RequeueBudget *RetryBudget   `yaml:"requeueBudget"`
	ClientSession *Session       `yaml:"clientSession"`
	SocketOptions *SocketOptions `yaml:"socketOptions"`

	RequestAuthorizers []Part `yaml:"requestAuthorizers" weft:"role=requestAuthorizer,only=http|h2"`
	ForwardClientCert  *bool  `yaml:"forwardClientCert" weft:"only=http|h2"`

	// HTTP2 sends the requests of an http router over HTTP/2 connections, which
	// callers share, to endpoints that understand it: the next hop is a weft too.
	HTTP2 *bool `yaml:"http2" weft:"only=http"` // false

	H2Settings `yaml:",inline"`

	ThriftFramed           *bool `yaml:"thriftFramed" weft:"only=thrift|thriftmux"`           // true
	AttemptTTwitterUpgrade *bool `yaml:"attemptTTwitterUpgrade" weft:"only=thrift|thriftmux"` // false
}

// HostConnectionPool bounds the connections to one endpoint. Nil keys are no bound,
// except MinSize, which is 0.
type HostConnectionPool struct {
	MinSize    *int           `yaml:"minSize" weft:"min=0"`
	MaxSize    *int           `yaml:"maxSize" weft:"min=1"`
	IdleTime   *time.Duration `yaml:"idleTimeMs" weft:"unit=ms"`
	MaxWaiters *int           `yaml:"maxWaiters" weft:"min=0"`
}

// Validate checks the rules that concern more than one key.
func (p *HostConnectionPool) Validate() error {
	if p.MinSize != nil && p.MaxSize != nil && *p.MinSize > *p.MaxSize {
		return keyError{key: "minSize", message: "minSize must not be larger than maxSize"}
	}
	return nil
}

// RetryBudget bounds retries: PercentCanRetry of the requests of the last TTL, and
// MinRetriesPerSec besides. PercentCanRetry is a ratio and may exceed 1.
type RetryBudget struct {
	TTL              *time.Duration `yaml:"ttlSecs" weft:"unit=s,min=1,max=60"`    // 10 s
	MinRetriesPerSec *int           `yaml:"minRetriesPerSec" weft:"min=0"`         // 10
	PercentCanRetry  *float64       `yaml:"percentCanRetry" weft:"min=0,max=1000"` // 0.2
}

// KeyHint implements the decoder's hints.
func (*ClientPolicy) KeyHint(key string) string {
	switch key {
	case "connectTimeoutMs":
		return "there is no such key: the TCP connect timeout is 1 s, and the router's bindingTimeoutMs limits obtaining a connection"
	case "retries", "responseClassifier", "totalTimeoutMs":
		return "set service." + key
	case "engine":
		return "Linkerd 1.7 has no such key any more; remove it"
	case "configs":
		return "set kind: io.l5d.static"
	default:
		return ""
	}
}

// For returns the policy of a bound name: every entry whose pattern matches
// contributes, and later ones override earlier ones key by key. What the pattern
// captured is put into the common name of its TLS settings.
//
// TLS settings that validate and name no host cannot be used by themselves; a later
// entry's TLS settings complete them.
func (c Client) For(id dtab.Path) ClientPolicy {
	return c.policy(id, func(p *ClientPolicy, captures map[string]string) {
		if p.TLS == nil || p.TLS.CommonName == nil {
			return
		}
		name := match.Substitute(captures, *p.TLS.CommonName)
		tls := *p.TLS
		tls.CommonName = &name
		p.TLS = &tls
	}, func(old, next *ClientPolicy) {
		if old.TLS != nil && next.TLS != nil && old.TLS.partial() {
			tls := old.TLS.completedBy(*next.TLS)
			next.TLS = &tls
		}
	})
}
