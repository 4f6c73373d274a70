package statsd

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/weft-mesh/weft/telemetry"
)

// flushAll queues gauges and what counters have grown by, every interval and at the end, as
// long as there is somewhere to send them.
func (e *Exporter) flushAll(ctx context.Context) {
	tick := time.NewTicker(e.o.Interval)
	defer tick.Stop()
	counted := map[string]int64{} // values of the counters at the last flush, but for zeros
	for {
		select {
		case <-tick.C:
			if e.found.Load() {
				counted = e.flush(counted, false)
			}
		case <-ctx.Done():
			<-e.looked
			if e.found.Load() {
				e.flush(counted, true)
			}
			return
		}
	}
}

// flush queues what is to be said, and waits for room: this is nobody's request. The last
// one has no gauges. It returns the values of the counters, as far as they were said.
func (e *Exporter) flush(before map[string]int64, last bool) map[string]int64 {
	now := make(map[string]int64, len(before))
	late := make(chan time.Time)
	defer time.AfterFunc(e.o.Interval, func() { close(late) }).Stop()
	for path, m := range e.o.Tree.All() {
		switch m.Kind {
		case telemetry.KindCounter:
			if m.Int == 0 {
				continue
			}
			key := strings.Join(path, "\x00")
			grown := m.Int - before[key]
			if grown < 0 {
				grown = m.Int // it was pruned, and made anew
			}
			if grown != 0 && !e.put(late, line{name: e.name(path), value: grown, suffix: "|c"}) {
				now[key] = before[key] // the next flush says it
				if last {
					e.dropped.Inc()
				}
				continue
			}
			now[key] = m.Int
		case telemetry.KindGauge:
			v := m.Float
			if !last && v-v == 0 && !e.put(late, line{name: e.name(path), text: gaugeText(e.name(path), v)}) {
				e.dropped.Inc()
			}
		case telemetry.KindStat:
			// Its values were told one by one.
		}
	}
	return now
}

// gaugeText sets a gauge. A sign means a change to the protocol, so that the value is made
// zero first.
func gaugeText(name string, v float64) string {
	text := gauge(v)
	if strings.HasPrefix(text, "-") {
		return "0|g\n" + name + text + "|g"
	}
	return text + "|g"
}

// put queues a line when there is room, and reports false if there is none before late.
func (e *Exporter) put(late <-chan time.Time, l line) bool {
	select {
	case e.lines <- l:
		return true
	default:
	}
	select {
	case e.lines <- l:
		return true
	case <-late:
		return false
	}
}

func (l line) appendTo(b []byte) []byte {
	b = append(b, l.name...)
	if l.text != "" {
		return append(b, l.text...)
	}
	return append(strconv.AppendInt(b, l.value, 10), l.suffix...)
}
