package transport

import (
	"fmt"
	"strconv"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
	"github.com/weft-mesh/weft/circuit"
)

// reason says why an endpoint is or is not being picked.
type reason struct {
	balancer *balancer.View
	open     int // endpoints that have a share and take requests
	endpoint *EndpointView
}

// say returns whether the endpoint can be picked, and the sentence. What keeps it
// out for the longest time comes first.
func (r reason) say() (pickable bool, why string) {
	e := r.endpoint
	switch {
	case e.Unweighted:
		return false, "weight 0: other endpoints of the set take all the traffic"
	case e.Status != weft.Open:
		return r.unhealthy()
	case e.Outside:
		return false, "outside the " + r.window()
	}
	why = "picked: " + r.choice()
	switch {
	case e.Leaving:
		why += "; discovery does not list it any more, it is kept while it works"
	case e.Breaker.State == circuit.ProbeOpen:
		why += "; it was taken out by failure accrual, and its next request is the probe"
	}
	return true, why
}

// unhealthy is say of an endpoint that is not open.
func (r reason) unhealthy() (pickable bool, why string) {
	e := r.endpoint
	switch b := e.Breaker; {
	case b.State == circuit.Dead:
		why = "closed by failure accrual: " + r.failures() + "probes in " + roughly(b.Retry)
	case b.State == circuit.ProbeClosed:
		why = "closed by failure accrual: " + r.failures() + "a request is probing it now"
	case e.FailFast.Err != nil && e.FailFast.Retry > 0:
		why = fmt.Sprintf("closed by fail-fast: %v; tries to connect again in %s", e.FailFast.Err, roughly(e.FailFast.Retry))
	case e.FailFast.Err != nil:
		why = fmt.Sprintf("closed by fail-fast: %v; is trying to connect now", e.FailFast.Err)
	default:
		why = "its status is " + e.Status.String()
	}
	switch {
	case r.open > 0:
		return false, why
	case r.balancer.OnAllUnhealthy == balancer.PickAnyway:
		return true, "picked all the same, as no endpoint of the set is open; " + why
	case r.balancer.OnAllUnhealthy == balancer.WaitHealthy:
		return false, why + "; no endpoint of the set is open, so requests wait"
	default:
		return false, why + "; no endpoint of the set is open, so requests fail"
	}
}

// failures is what failure accrual has against the endpoint.
func (r reason) failures() string {
	b := r.endpoint.Breaker
	if b.Standing == "" {
		return b.Policy + ", "
	}
	return b.Standing + ", "
}

// window is what the endpoint is outside of.
func (r reason) window() string {
	a, all := r.balancer.Aperture, r.endpoint.Class.Size
	if a.Physical == 0 {
		return "rotation of the endpoints that are open"
	}
	return fmt.Sprintf("aperture of %d of %d endpoints", a.Physical, all)
}

// choice is how the policy comes to the endpoint.
func (r reason) choice() string {
	e, c := r.endpoint, r.endpoint.Class
	among := ""
	if c.Share < 1 {
		among = fmt.Sprintf(" of the %d of weight %s, which get %s of the traffic", c.Size, number(c.Weight), percent(c.Share))
	}
	if c.Size == 1 {
		if among == "" {
			return "the only endpoint"
		}
		return fmt.Sprintf("the only one of weight %s, which gets %s of the traffic", number(c.Weight), percent(c.Share))
	}
	switch r.balancer.Policy {
	case "p2c", "ewma", "aperture":
		if a := r.balancer.Aperture; a.Physical > 0 {
			among = fmt.Sprintf(" inside the aperture of %d of %d endpoints", a.Physical, c.Size)
			if a.Physical == 1 {
				return "the only one" + among
			}
		}
		return "the less loaded of two random ones" + among + "; " + r.load("median", c.Median)
	case "heap":
		return "the least loaded one" + among + "; " + r.load("least", c.Least)
	case "roundRobin":
		return fmt.Sprintf("in turn, one of %d%s", c.Open, among)
	default:
		return "as the policy " + r.balancer.Policy + " chooses" + among + "; load " + r.number(e.Load)
	}
}

// load compares the endpoint's load with that of others.
func (r reason) load(what string, other float64) string {
	e := r.endpoint
	if r.balancer.ByLatency && e.Cost == 0 {
		if e.Pending == 0 {
			return "it has not answered yet, and so is preferred"
		}
		return "it has not answered yet, and gets no second request before"
	}
	relation := "is the " + what
	switch {
	case e.Load < other:
		relation = "is below the " + what
	case e.Load > other:
		relation = "is above the " + what
	}
	if e.Load == other {
		return "load " + r.number(e.Load) + " " + relation
	}
	return "load " + r.number(e.Load) + " " + relation + " " + r.number(other)
}

// number prints a load: requests, or milliseconds.
func (r reason) number(load float64) string {
	if r.balancer.ByLatency {
		return number(load/1e6) + " ms"
	}
	return number(load)
}

func number(x float64) string {
	if x >= 100 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

func percent(x float64) string { return strconv.FormatFloat(100*x, 'g', 3, 64) + " %" }
