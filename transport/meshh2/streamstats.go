package meshh2

import (
	"time"

	"github.com/weft-mesh/weft/telemetry"
)

// streamCount counts the frames of one direction of a stream.
type streamCount struct {
	frames, bytes    int64
	trailers, resets int64
}

func (c *streamCount) data(n int) {
	c.frames++
	c.bytes += int64(n)
}

// streamStats are what Linkerd's HTTP/2 has of streams, on a server or a client:
// local is what this side sent. data/bytes is of the whole stream, not of each
// frame as there.
type streamStats struct {
	open          *telemetry.UpDown
	local, remote directionStats
	latency       *telemetry.Stat
	success, fail *telemetry.Counter
}

type directionStats struct {
	bytes                    *telemetry.Stat
	frames, trailers, resets *telemetry.Counter
}

func newStreamStats(s *telemetry.Scope) streamStats {
	at := s.Scope("stream")
	return streamStats{
		open:    s.UpDown("open_streams"),
		local:   newDirectionStats(at.Scope("local")),
		remote:  newDirectionStats(at.Scope("remote")),
		latency: at.Stat("total_latency_ms"),
		success: at.Counter("stream_success"),
		fail:    at.Counter("stream_failures"),
	}
}

func newDirectionStats(s *telemetry.Scope) directionStats {
	return directionStats{
		bytes:    s.Stat("data", "bytes"),
		frames:   s.Counter("data", "frames"),
		trailers: s.Counter("trailers"),
		resets:   s.Counter("reset"),
	}
}

// end records a stream.
func (s *streamStats) end(local, remote *streamCount, took time.Duration, ok bool) {
	s.open.Dec()
	s.local.end(local)
	s.remote.end(remote)
	s.latency.RecordMillis(took)
	if ok {
		s.success.Inc()
	} else {
		s.fail.Inc()
	}
}

// end counts what there was; most streams lack something.
func (s *directionStats) end(c *streamCount) {
	if c.frames > 0 {
		s.frames.Add(c.frames)
		s.bytes.Record(c.bytes)
	}
	if c.trailers > 0 {
		s.trailers.Add(c.trailers)
	}
	if c.resets > 0 {
		s.resets.Add(c.resets)
	}
}
