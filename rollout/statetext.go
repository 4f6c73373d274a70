package rollout

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/weft-mesh/weft/dtab"
)

// stateRoot begins the prefixes of all rules of a state.
const stateRoot = "/weft/rollout"

// stateVersion is that of the rules; a state with a later one is not touched.
const stateVersion = 1

// Dtab returns the state as it is kept: rules /weft/rollout/<what> => /<word>/<word>…
// in which bytes that a path does not show are written %hh, and the two rules
// /weft/rollout/before/<rule> and /weft/rollout/after/<rule>.
func (s State) Dtab() dtab.Dtab {
	var d dtab.Dtab
	add := func(key, text string) {
		if text != "" {
			d = append(d, dtab.Dentry{Prefix: dtab.MustPrefix(stateRoot + "/" + key), Dst: dtab.LeafOf(wordsPath(text))})
		}
	}
	add("version", strconv.Itoa(stateVersion))
	add("namespace", s.Plan.Namespace)
	for _, b := range []struct {
		key string
		to  dtab.Path
	}{{"before", s.Plan.Old}, {"after", s.Plan.New}} {
		d = append(d, dtab.Dentry{Prefix: dtab.MustPrefix(stateRoot + "/" + b.key + s.Plan.Rule.String()), Dst: dtab.LeafOf(b.to)})
	}
	for i, step := range s.Plan.Steps {
		add("step/"+strconv.Itoa(i+1), stepWords(step))
	}
	s.Plan.Limits.eachWord(func(key, text string) { add("limit/"+key, text) })
	add("hold", s.Plan.HoldFor.String()+" then "+choose(s.Plan.NoData == HoldWithoutData, "hold", "rollback"))
	add("interrupt", choose(s.Plan.OnInterrupt == PauseOnInterrupt, "pause", "rollback"))
	for i, note := range s.Plan.Note {
		add("note/"+strconv.Itoa(i+1), note)
	}
	add("phase", string(s.Phase))
	add("at", "step "+strconv.Itoa(s.Step+1))
	add("reason", s.Reason)
	add("resumes", string(s.Resumes))
	add("outcome", string(s.Outcome))
	add("baseline", sampleWords(s.Baseline))
	add("started", timeWord(s.Started))
	add("since", timeWord(s.Since))
	add("until", timeWord(s.Until))
	add("runner", s.Runner)
	add("alive", timeWord(s.Alive)+" for "+s.Lease.String())
	add("wanted", string(s.Wanted))
	add("token", s.token)
	add("seq", strconv.Itoa(s.seq))
	return d
}

func choose(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

// wordsPath writes text as a path of its words, without what a path cannot show
// readably. Blanks between words become single ones.
func wordsPath(text string) dtab.Path {
	var b strings.Builder
	for word := range strings.FieldsSeq(text) {
		b.WriteByte('/')
		for i := range len(word) {
			switch c := word[i]; {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("#$-.:_", c) >= 0:
				b.WriteByte(c)
			default:
				fmt.Fprintf(&b, "%%%02X", c)
			}
		}
	}
	return dtab.MustPath(choose(b.Len() == 0, "/", b.String()))
}

// pathWords is the inverse of wordsPath.
func pathWords(p dtab.Path) (string, error) {
	var words []string
	for e := range p.Elems() {
		word, err := url.PathUnescape(e)
		if err != nil {
			return "", err
		}
		words = append(words, word)
	}
	return strings.Join(words, " "), nil
}

func stepWords(s Step) string {
	return fmt.Sprintf("%s percent for %s requests %d", strings.TrimSuffix(s.Weight.String(), "%"), s.WatchFor, s.MinRequests)
}

func sampleWords(s Sample) string {
	if s == (Sample{}) {
		return ""
	}
	return fmt.Sprintf("requests %s successes %s timed %s p50 %s p95 %s p99 %s",
		number(s.Requests), number(s.Successes), number(s.Timed), s.P50, s.P95, s.P99)
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func timeWord(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// eachWord calls f with every limit.
func (l Limits) eachWord(f func(key, text string)) {
	f("success", number(l.MinSuccess))
	f("drop", number(l.MaxSuccessDrop))
	f("latency-factor", number(l.MaxLatencyFactor))
	f("latency", l.MaxLatency.String())
	f("quantile", number(l.Quantile))
	f("requests", strconv.Itoa(l.MinRequests))
}
