package kinds

import (
	"time"

	"github.com/weft-mesh/weft/proxy/config"
)

// Balancer is what all load balancers have in common: to keep removed endpoints
// until their connections go idle. It is all that heap has.
type Balancer struct {
	EnableProbation bool `yaml:"enableProbation"`
}

// P2C is the configuration of p2c and roundRobin.
type P2C struct {
	Balancer  `yaml:",inline"`
	MaxEffort *int `yaml:"maxEffort" weft:"min=1"` // 5
}

// EWMA is the configuration of ewma.
type EWMA struct {
	P2C       `yaml:",inline"`
	DecayTime *time.Duration `yaml:"decayTimeMs" weft:"unit=ms,min=1"` // 10 s
}

// Aperture is the configuration of aperture.
type Aperture struct {
	P2C          `yaml:",inline"`
	SmoothWindow *time.Duration `yaml:"smoothWindowMs" weft:"unit=ms,min=1"` // 5 s
	LowLoad      *float64       `yaml:"lowLoad" weft:"min=0"`                // 0.5
	HighLoad     *float64       `yaml:"highLoad" weft:"min=0"`               // 2.0
	MinAperture  *int           `yaml:"minAperture" weft:"min=1"`            // 1
}

// Validate implements the decoder's rules.
func (c *Aperture) Validate() error {
	low, high := 0.5, 2.0
	if c.LowLoad != nil {
		low = *c.LowLoad
	}
	if c.HighLoad != nil {
		high = *c.HighLoad
	}
	return errIf(low > high, "lowLoad", "lowLoad must not be larger than highLoad")
}

// LoadBalancers returns the declarations of the load balancers.
func LoadBalancers() []config.Entry {
	role := config.RoleLoadBalancer
	return []config.Entry{
		config.Declare[P2C](role, "p2c", stable()),
		config.Declare[EWMA](role, "ewma", stable()),
		config.Declare[Aperture](role, "aperture", stable()),
		config.Declare[Balancer](role, "heap", stable()),
		config.Declare[P2C](role, "roundRobin", stable()),
	}
}

// AccrualBackoff is for how long an endpoint that failed is left alone; nil is equal
// jitter from 5 s to 300 s.
type AccrualBackoff struct {
	Backoff *config.Part `yaml:"backoff" weft:"role=backoff"`
}

// ConsecutiveFailures is the configuration of io.l5d.consecutiveFailures.
type ConsecutiveFailures struct {
	AccrualBackoff `yaml:",inline"`
	Failures       int `yaml:"failures" weft:"required,min=1"`
}

// SuccessRate is the configuration of io.l5d.successRate: over a number of requests.
type SuccessRate struct {
	AccrualBackoff `yaml:",inline"`
	SuccessRate    float64 `yaml:"successRate" weft:"required,min=0,max=1"`
	Requests       int     `yaml:"requests" weft:"required,min=1"`
}

// SuccessRateWindowed is the configuration of io.l5d.successRateWindowed: over time.
type SuccessRateWindowed struct {
	AccrualBackoff `yaml:",inline"`
	SuccessRate    float64       `yaml:"successRate" weft:"required,min=0,max=1"`
	Window         time.Duration `yaml:"window" weft:"required,unit=s,min=1"`
}

// FailureAccruals returns the declarations of the failure accrual policies.
func FailureAccruals() []config.Entry {
	role := config.RoleFailureAccrual
	return []config.Entry{
		config.Declare[ConsecutiveFailures](role, "io.l5d.consecutiveFailures", stable()),
		config.Declare[SuccessRate](role, "io.l5d.successRate", stable()),
		config.Declare[SuccessRateWindowed](role, "io.l5d.successRateWindowed", stable()),
		config.Declare[none](role, "none", stable()),
	}
}

// ConstantBackoff is the configuration of constant.
type ConstantBackoff struct {
	Delay time.Duration `yaml:"ms" weft:"unit=ms"`
}

// JitteredBackoff is the configuration of jittered: decorrelated jitter. Both keys
// are required.
type JitteredBackoff struct {
	Min *time.Duration `yaml:"minMs" weft:"unit=ms"`
	Max *time.Duration `yaml:"maxMs" weft:"unit=ms"`
}

// Validate implements the decoder's rules.
func (c *JitteredBackoff) Validate() error {
	return all(
		errIf(c.Min == nil, "minMs", "'minMs' must be specified"),
		errIf(c.Max == nil, "maxMs", "'maxMs' must be specified"),
		errIf(c.Min != nil && *c.Min == 0, "minMs", "minMs must be larger than 0"),
		errIf(c.Min != nil && c.Max != nil && *c.Min > *c.Max, "minMs", "minMs must not be larger than maxMs"),
	)
}

// Backoffs returns the declarations of the backoffs.
func Backoffs() []config.Entry {
	return []config.Entry{
		config.Declare[ConstantBackoff](config.RoleBackoff, "constant", stable()),
		config.Declare[JitteredBackoff](config.RoleBackoff, "jittered", stable()),
	}
}
