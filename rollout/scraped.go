package rollout

import (
	"slices"
	"time"
)

// scraped is what one proxy has counted.
type scraped struct {
	url    string
	last   *seen
	points []point
	closed []closing
}

// point is what the branches had counted by then, since the first answer.
type point struct {
	at     time.Time
	counts [2]Sample
}

// closing is a window of latencies, which was closed shortly before it was seen.
type closing struct {
	at time.Time
	counters
}

// remember is how long ago the begin of a step may be.
const remember = 24 * time.Hour

// advance takes what the proxy says now.
func (p *scraped) advance(now *seen, at time.Time) {
	before := p.last
	p.last = now
	if before == nil {
		p.points = append(p.points, point{at: at})
		return
	}
	next := point{at: at, counts: p.points[len(p.points)-1].counts}
	restarted := now.uptime < before.uptime
	for key, c := range now.series {
		if c.branch < 0 {
			continue
		}
		was := before.series[key]
		if was == nil || restarted {
			was = &counters{} // a client that was not there counts from zero
		}
		success, failures := grown(was.success, c.success), grown(was.failures, c.failures)
		next.counts[c.branch].Requests += success + failures
		next.counts[c.branch].Successes += success
		if c.timed > 0 && (c.timed != was.timed || c.sum != was.sum) {
			p.closed = append(p.closed, closing{at, *c})
		}
	}
	p.points = append(p.points, next)
	p.forget(at.Add(-remember))
}

// grown is what a counter has counted. One that is smaller than before began anew.
func grown(was, is float64) float64 {
	if is < was {
		return is
	}
	return is - was
}

func (p *scraped) forget(before time.Time) {
	if i := slices.IndexFunc(p.points, func(x point) bool { return x.at.After(before) }); i > 1 {
		p.points = slices.Delete(p.points, 0, i-1)
	}
	p.closed = slices.DeleteFunc(p.closed, func(c closing) bool { return c.at.Before(before) })
}

// add adds what the branches did since a time: since the last answer before it, if
// there is one.
func (p *scraped) add(branches *[2]tally, since time.Time) {
	if len(p.points) == 0 {
		return
	}
	from, to := p.points[0], p.points[len(p.points)-1]
	for _, x := range p.points {
		if x.at.After(since) {
			break
		}
		from = x
	}
	for i := range branches {
		branches[i].requests += to.counts[i].Requests - from.counts[i].Requests
		branches[i].successes += to.counts[i].Successes - from.counts[i].Successes
	}
	for _, c := range p.closed {
		if c.at.After(since) {
			branches[c.branch].window(c.counters)
		}
	}
}

// tally adds up what a branch did, with quantiles weighted by requests.
type tally struct {
	requests, successes  float64
	timed, p50, p95, p99 float64
}

func (t *tally) window(c counters) {
	t.timed += c.timed
	t.p50 += c.timed * float64(c.p50)
	t.p95 += c.timed * float64(c.p95)
	t.p99 += c.timed * float64(c.p99)
}

func (t *tally) sample() Sample {
	s := Sample{Requests: t.requests, Successes: t.successes, Timed: t.timed}
	if t.timed > 0 {
		s.P50, s.P95, s.P99 = time.Duration(t.p50/t.timed), time.Duration(t.p95/t.timed), time.Duration(t.p99/t.timed)
	}
	return s
}
