package config

import (
	"time"

	"github.com/weft-mesh/weft/dtab"
)

// Service is the service section of a router: one policy for all logical names, or
// several by pattern.
type Service struct{ Policies[ServicePolicy] }

// ServicePolicy is how requests to one logical name are treated. Nil keys mean the
// defaults.
type ServicePolicy struct {
	// TotalTimeout includes retries and their backoffs; nil is none.
	TotalTimeout *time.Duration `yaml:"totalTimeoutMs" weft:"unit=ms"`

	Retries            *Retries `yaml:"retries"`
	ResponseClassifier *Part    `yaml:"responseClassifier" weft:"role=*.classifier"`

	ClassificationTimeout *time.Duration   `yaml:"classificationTimeoutMs" weft:"unit=ms,only=h2"` // 100 ms
	RetryBufferSize       *RetryBufferSize `yaml:"retryBufferSize" weft:"only=h2"`
}

// Retries is how often and how soon a request is sent again.
type Retries struct {
	Budget  *RetryBudget `yaml:"budget"`
	Backoff *Part        `yaml:"backoff" weft:"role=backoff"` // constant, 0 ms
}

// RetryBufferSize bounds what is kept of a stream so that it can be sent again.
type RetryBufferSize struct {
	RequestBytes  *int `yaml:"requestBytes" weft:"min=0"`  // 16383
	ResponseBytes *int `yaml:"responseBytes" weft:"min=0"` // 16383
}

// KeyHint implements the decoder's hints.
func (*ServicePolicy) KeyHint(key string) string {
	switch key {
	case "timeoutMs":
		return "set totalTimeoutMs"
	case "tls", "loadBalancer", "failureAccrual", "requeueBudget", "requestAttemptTimeoutMs", "hostConnectionPool":
		return "set client." + key
	case "configs":
		return "set kind: io.l5d.static"
	default:
		return ""
	}
}

// For returns the policy of a logical name: every entry whose pattern matches
// contributes, and later ones override earlier ones key by key.
func (s Service) For(path dtab.Path) ServicePolicy { return s.policy(path, nil, nil) }
