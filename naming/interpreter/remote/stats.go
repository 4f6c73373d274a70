package remote

import (
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/telemetry"
)

// stats count what namerd answers. What has not happened has no metric.
type stats struct{ bind, addr, delegate, dtab outcomes }

// outcomes count the answers to one kind of question. Namerd keeps answers up to date, and
// each that it sends counts.
type outcomes struct {
	scope            *telemetry.Scope
	success, failure telemetry.LateCounter
}

func (o *outcomes) end(err error) {
	if err != nil {
		o.failure.In(o.scope, "failure").Inc()
	} else {
		o.success.In(o.scope, "success").Inc()
	}
}

// counting returns set, with what it is told counted.
func counting[T any](o *outcomes, set func(naming.State[T])) func(naming.State[T]) {
	return func(st naming.State[T]) {
		if !st.Pending() {
			o.end(st.Err)
		}
		set(st)
	}
}

// export makes the metrics of an interpreter.
func (in *Interpreter) export(s *telemetry.Scope) {
	in.stats.bind.scope, in.stats.addr.scope = s.Scope("bind"), s.Scope("addr")
	in.stats.delegate.scope, in.stats.dtab.scope = s.Scope("delegate"), s.Scope("dtab")
	s.Gauge("bindcache.size", func() float64 { return float64(in.trees.Len()) })
	s.Gauge("addrcache.size", func() float64 { return float64(in.addrs.Len()) })
}
