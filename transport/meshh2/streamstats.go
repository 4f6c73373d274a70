package meshh2

import (
	"time"

	"github.com/weft-mesh/weft/telemetry"
)

// streamStats are what Linkerd has of the streams of an HTTP/2 server or client. The
// frames are told apart by who sent them, the bodies by what they are of.
type streamStats struct {
	open                      *telemetry.UpDown
	request, response         bodyStats
	total                     endStats // of both
	localResets, remoteResets *telemetry.Counter
}

// bodyStats are those of one direction.
type bodyStats struct {
	frameBytes       *telemetry.Stat // of each DATA frame
	frames, trailers *telemetry.Counter
	endStats
}

// endStats are what is known when something has ended. It is a success if it was
// whole, whatever its classifier makes of what it said.
type endStats struct {
	duration, bytes *telemetry.Stat
	success, fail   *telemetry.Counter
}

func newServerStreamStats(s *telemetry.Scope) streamStats {
	return newStreamStats(s, s.Scope("stream", "remote"), s.Scope("stream", "local"))
}

func newClientStreamStats(s *telemetry.Scope) streamStats {
	return newStreamStats(s, s.Scope("stream", "local"), s.Scope("stream", "remote"))
}

func newStreamStats(s, request, response *telemetry.Scope) streamStats {
	return streamStats{
		open:         s.UpDown("open_streams"),
		request:      newBodyStats(request, s.Scope("request", "stream")),
		response:     newBodyStats(response, s.Scope("response", "stream")),
		total:        newEndStats(s.Scope("stream"), "total_latency_ms"),
		localResets:  s.Counter("stream", "local", "reset"),
		remoteResets: s.Counter("stream", "remote", "reset"),
	}
}

func newBodyStats(frames, s *telemetry.Scope) bodyStats {
	return bodyStats{
		frameBytes: frames.Stat("data", "bytes"),
		frames:     frames.Counter("data", "frames"),
		trailers:   frames.Counter("trailers"),
		endStats:   newEndStats(s, "stream_duration_ms"),
	}
}

func newEndStats(s *telemetry.Scope, duration string) endStats {
	return endStats{
		duration: s.Stat(duration), bytes: s.Stat("data_bytes"),
		success: s.Counter("stream_success"), fail: s.Counter("stream_failures"),
	}
}

func (s *endStats) end(took time.Duration, bytes int64, ok bool) {
	s.duration.RecordMillis(took)
	s.bytes.Record(bytes)
	if ok {
		s.success.Inc()
	} else {
		s.fail.Inc()
	}
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
		s.request.trailers.Inc()
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
		s.response.trailers.Inc()
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
		s.remoteResets.Inc()
	} else {
		s.localResets.Inc()
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
	s.frames.Inc()
	s.frameBytes.Record(int64(n))
	b.bytes += int64(n)
}

func (b *openBody) end(s *bodyStats, took time.Duration) {
	b.over = true
	s.endStats.end(took, b.bytes, !b.cut)
}
