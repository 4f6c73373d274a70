package meshh2

import (
	"time"

	"github.com/weft-mesh/weft/telemetry"
)

// streamStats are what Linkerd has of the streams of an HTTP/2 server or client. The
// frames are told apart by who sent them, the bodies by what they are of. What has not
// happened has no metric.
type streamStats struct {
	scope                     *telemetry.Scope
	open                      *telemetry.UpDown
	request, response         bodyStats
	total                     endStats // of both
	localResets, remoteResets telemetry.LateCounter
}

// bodyStats are those of one direction.
type bodyStats struct {
	sender           string             // local or remote
	frameBytes       telemetry.LateStat // of each DATA frame
	frames, trailers telemetry.LateCounter
	endStats
}

// endStats are what is known when something has ended. It is a success if it was
// whole, whatever its classifier makes of what it said.
type endStats struct {
	scope   *telemetry.Scope
	of      string // the scope above "stream", "" for none
	lasting string // the name of duration

	duration, bytes telemetry.LateStat
	success, fail   telemetry.LateCounter
}

func newServerStreamStats(s *telemetry.Scope) streamStats {
	return newStreamStats(s, "remote", "local")
}

func newClientStreamStats(s *telemetry.Scope) streamStats {
	return newStreamStats(s, "local", "remote")
}

func newStreamStats(s *telemetry.Scope, request, response string) streamStats {
	return streamStats{
		scope:    s,
		open:     s.UpDown("open_streams"),
		request:  bodyStats{sender: request, endStats: endStats{scope: s, of: "request", lasting: "stream_duration_ms"}},
		response: bodyStats{sender: response, endStats: endStats{scope: s, of: "response", lasting: "stream_duration_ms"}},
		total:    endStats{scope: s, lasting: "total_latency_ms"},
	}
}

func (s *endStats) end(took time.Duration, bytes int64, ok bool) {
	stat(&s.duration, s.scope, s.of, s.lasting).RecordMillis(took)
	stat(&s.bytes, s.scope, s.of, "data_bytes").Record(bytes)
	if ok {
		count(&s.success, s.scope, s.of, "stream_success").Inc()
	} else {
		count(&s.fail, s.scope, s.of, "stream_failures").Inc()
	}
}

// stat and count return a metric of stream, or of stream in the scope of.
func stat(l *telemetry.LateStat, s *telemetry.Scope, of, name string) *telemetry.Stat {
	if of == "" {
		return l.In(s, "stream", name)
	}
	return l.In(s, of, "stream", name)
}

func count(l *telemetry.LateCounter, s *telemetry.Scope, of, name string) *telemetry.Counter {
	if of == "" {
		return l.In(s, "stream", name)
	}
	return l.In(s, of, "stream", name)
}

// openStream is a stream while it lasts: the caller's, or an attempt's. Times are
// since the beginning of the exchange. The zero openStream counts nothing.
type openStream struct {
	stats             *streamStats // nil: not opened
	begun, head       time.Duration
	request, response openBody
}

type openBody struct {
	bytes     int64
	over, cut bool
}

// open begins it. bare says that the request ends with its head.
func (o *openStream) open(stats *streamStats, at time.Duration, bare bool) {
	o.stats, o.begun = stats, at
	stats.open.Inc()
	if bare {
		o.requestEnd(at)
	}
}

func (o *openStream) requestData(n int) {
	if s := o.stats; s != nil {
		o.request.data(&s.request, n)
	}
}

func (o *openStream) requestTrailer() {
	if s := o.stats; s != nil {
		s.request.trailer()
	}
}

func (o *openStream) requestEnd(now time.Duration) {
	if s := o.stats; s != nil && !o.request.over {
		o.request.end(&s.request, now-o.begun)
		o.end(now)
	}
}

// answered says that there is the head of a response.
func (o *openStream) answered(now time.Duration) { o.head = max(now, 1) }

func (o *openStream) responseData(n int) {
	if s := o.stats; s != nil {
		o.response.data(&s.response, n)
	}
}

func (o *openStream) responseTrailer() {
	if s := o.stats; s != nil {
		s.response.trailer()
	}
}

func (o *openStream) responseEnd(now time.Duration) {
	if s := o.stats; s != nil && !o.response.over {
		o.response.end(&s.response, now-o.head)
		o.end(now)
	}
}

// reset ends what has not ended yet. remote says that the peer did it.
func (o *openStream) reset(now time.Duration, remote bool) {
	s := o.stats
	if s == nil || o.request.over && o.response.over {
		return
	}
	if remote {
		s.remoteResets.In(s.scope, "stream", "remote", "reset").Inc()
	} else {
		s.localResets.In(s.scope, "stream", "local", "reset").Inc()
	}
	if b := &o.request; !b.over {
		b.cut = true
		b.end(&s.request, now-o.begun)
	}
	if b := &o.response; !b.over {
		if b.cut = true; o.head == 0 {
			b.over = true // there never was one
		} else {
			b.end(&s.response, now-o.head)
		}
	}
	o.end(now)
}

// end records the whole once both directions have ended.
func (o *openStream) end(now time.Duration) {
	in, out := &o.request, &o.response
	if !in.over || !out.over {
		return
	}
	o.stats.open.Dec()
	o.stats.total.end(now-o.begun, in.bytes+out.bytes, !in.cut && !out.cut)
}

func (b *openBody) data(s *bodyStats, n int) {
	s.frames.In(s.scope, "stream", s.sender, "data", "frames").Inc()
	s.frameBytes.In(s.scope, "stream", s.sender, "data", "bytes").Record(int64(n))
	b.bytes += int64(n)
}

func (s *bodyStats) trailer() { s.trailers.In(s.scope, "stream", s.sender, "trailers").Inc() }

func (b *openBody) end(s *bodyStats, took time.Duration) {
	b.over = true
	s.endStats.end(took, b.bytes, !b.cut)
}
