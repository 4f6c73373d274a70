package rollout

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// fields are the texts of the rules of a state.
type fields map[string]string

// reader reads fields and keeps the first error.
type reader struct {
	f   fields
	err error
}

func (r *reader) fail(key, text, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s/%s says %q; want %s", stateRoot, key, text, want)
	}
}

func (r *reader) text(key string) string {
	if r.f[key] == "" {
		r.fail(key, "", "something")
	}
	return r.f[key]
}

func (r *reader) parsed(key string, check func(string) error) string {
	if err := check(r.f[key]); err != nil {
		r.fail(key, r.f[key], err.Error())
	}
	return r.f[key]
}

// words returns just n words.
func (r *reader) words(key string, n int) []string {
	words := strings.Fields(r.f[key])
	if len(words) != n {
		r.fail(key, r.f[key], strconv.Itoa(n)+" words")
		return make([]string, n)
	}
	return words
}

func (r *reader) int(key string) int { return r.intOf(key, r.f[key]) }

func (r *reader) intOf(key, text string) int {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		r.fail(key, text, "a number")
	}
	return int(n)
}

func (r *reader) float(key string) float64 { return r.floatOf(key, r.f[key]) }

func (r *reader) floatOf(key, text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		r.fail(key, text, "a number")
		return 0
	}
	return n
}

func (r *reader) duration(key string) time.Duration { return r.durationOf(key, r.f[key]) }

func (r *reader) durationOf(key, text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		r.fail(key, text, "a duration such as 1m30s")
	}
	return d
}

func (r *reader) time(key string) time.Time {
	if r.f[key] == "" {
		return time.Time{}
	}
	return r.timeOf(key, r.f[key])
}

func (r *reader) timeOf(key, text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		r.fail(key, text, "a time")
	}
	return t
}

func (r *reader) choice(key, text string, choices ...string) int {
	for i, c := range choices {
		if c == text {
			return i
		}
	}
	r.fail(key, text, oneOf(choices))
	return 0
}

func (r *reader) step(key string) Step {
	w := r.words(key, 6) // 10 percent for 1m0s requests 100
	weight, err := ParseWeight(w[0] + "%")
	if err != nil {
		r.fail(key, r.f[key], "a percentage")
	}
	return Step{Weight: weight, WatchFor: r.durationOf(key, w[3]), MinRequests: r.intOf(key, w[5])}
}

func (r *reader) sample(key string) Sample {
	if r.f[key] == "" {
		return Sample{}
	}
	w := r.words(key, 12)
	return Sample{
		Requests: r.floatOf(key, w[1]), Successes: r.floatOf(key, w[3]), Timed: r.floatOf(key, w[5]),
		P50: r.durationOf(key, w[7]), P95: r.durationOf(key, w[9]), P99: r.durationOf(key, w[11]),
	}
}
