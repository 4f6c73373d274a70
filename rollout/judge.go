package rollout

import (
	"fmt"
	"math"
	"time"
)

// z is how many standard errors there are to the end of a confidence interval. 3 is
// one side of 99.87 %. It is more than for a single test, as the question is asked
// again at every interval.
const z = 3

// wilson returns the score interval of a rate, after E. B. Wilson, "Probable
// Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927). It
// holds for few requests and for rates near 1, where rate ± z·error does not.
func wilson(s Sample) (lower, upper float64) {
	n := s.Requests
	p, _ := s.Rate()
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(middle-half, 0), min(middle+half, 1)
}

// dropAtLeast returns how far the success rate of newer is below that of older at the
// least: the end of the hybrid score interval of the difference, method 10 of R. G.
// Newcombe, "Interval Estimation for the Difference Between Independent Proportions:
// Comparison of Eleven Methods", Statistics in Medicine 17 (1998).
func dropAtLeast(older, newer Sample) float64 {
	po, _ := older.Rate()
	pn, _ := newer.Rate()
	lower, _ := wilson(older)
	_, upper := wilson(newer)
	return po - pn - math.Hypot(po-lower, upper-pn)
}

// leastFailures are what it takes for a success rate to be a breach, however few the
// requests: one or two failures are an accident.
const leastFailures = 3

// millisecond is what latencies are cut to by who measures them.
const millisecond = time.Millisecond

// reference returns what newer is compared with: the old branch, or what it did when
// it still had requests.
func (l Limits) reference(older, baseline Sample) (ref Sample, ok bool) {
	if older.Requests >= float64(l.MinRequests) && older.Requests > 0 {
		return older, true
	}
	return baseline, baseline.Requests >= float64(l.MinRequests) && baseline.Requests > 0
}

// timedReference is reference for latencies.
func (l Limits) timedReference(older, baseline Sample) (ref Sample, ok bool) {
	if older.Timed >= float64(l.MinRequests) && older.Timed > 0 {
		return older, true
	}
	return baseline, baseline.Timed >= float64(l.MinRequests) && baseline.Timed > 0
}

// breach returns which limit the new branch is known not to keep to, "" if none. It
// is known of a success rate if even the good end of its confidence interval is beyond.
func (l Limits) breach(older, newer, baseline Sample) string {
	if newer.Requests >= float64(l.MinRequests) && newer.Requests-newer.Successes >= leastFailures {
		rate, _ := newer.Rate()
		if _, upper := wilson(newer); l.MinSuccess > 0 && upper < l.MinSuccess {
			return fmt.Sprintf("success rate %s of %.0f requests, below %s", percent(rate), newer.Requests, percent(l.MinSuccess))
		}
		if ref, ok := l.reference(older, baseline); ok && l.MaxSuccessDrop >= 0 && dropAtLeast(ref, newer) > l.MaxSuccessDrop {
			was, _ := ref.Rate()
			return fmt.Sprintf("success rate %s of %.0f requests, more than %s points below the old branch with %s",
				percent(rate), newer.Requests, points(l.MaxSuccessDrop), percent(was))
		}
	}
	return l.latencyBreach(older, newer, baseline)
}

func (l Limits) latencyBreach(older, newer, baseline Sample) string {
	if newer.Timed < float64(l.MinRequests) || newer.Timed <= 0 {
		return ""
	}
	q, name := newer.quantile(l.Quantile), "p"+number(100*l.Quantile)
	if l.MaxLatency > 0 && q > l.MaxLatency {
		return fmt.Sprintf("%s %s, more than %s", name, q, l.MaxLatency)
	}
	if ref, ok := l.timedReference(older, baseline); ok && l.MaxLatencyFactor > 0 {
		was := ref.quantile(l.Quantile)
		if float64(q) > l.MaxLatencyFactor*float64(was+millisecond) {
			return fmt.Sprintf("%s %s, more than %s times the %s of the old branch", name, q, number(l.MaxLatencyFactor), was)
		}
	}
	return ""
}

// wanting returns what is missing for the next step, "" if nothing: enough requests,
// and rates that keep to the limits as they were measured, without the benefit of the
// doubt that breach gives.
func (l Limits) wanting(s Step, older, newer, baseline Sample) string {
	if newer.Requests < float64(s.MinRequests) || newer.Requests <= 0 {
		return fmt.Sprintf("%.0f of %d requests", newer.Requests, max(s.MinRequests, 1))
	}
	rate, _ := newer.Rate()
	if rate < l.MinSuccess {
		return fmt.Sprintf("success rate %s, below %s", percent(rate), percent(l.MinSuccess))
	}
	if l.MaxSuccessDrop >= 0 {
		ref, ok := l.reference(older, baseline)
		was, _ := ref.Rate()
		switch {
		case ok && rate < was-l.MaxSuccessDrop:
			return fmt.Sprintf("success rate %s, more than %s points below the old branch with %s", percent(rate), points(l.MaxSuccessDrop), percent(was))
		case !ok && l.MinSuccess <= 0:
			return "too few requests of the old branch to compare with"
		}
	}
	if !l.watchesLatency() {
		return ""
	}
	if newer.Timed < float64(l.MinRequests) || newer.Timed <= 0 {
		return fmt.Sprintf("latencies of only %.0f of %d requests", newer.Timed, max(l.MinRequests, 1))
	}
	if _, ok := l.timedReference(older, baseline); !ok && l.MaxLatencyFactor > 0 && l.MaxLatency <= 0 {
		return "too few latencies of the old branch to compare with"
	}
	return ""
}

// rebase returns what of older is worth remembering for when it has no requests.
func (l Limits) rebase(older, baseline Sample) Sample {
	ref, _ := l.reference(older, baseline)
	timed, _ := l.timedReference(older, baseline)
	ref.P50, ref.P95, ref.P99, ref.Timed = timed.P50, timed.P95, timed.P99, timed.Timed
	return ref
}
