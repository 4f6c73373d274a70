package telemetry_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/telemetry"
)

type spans struct {
	mu  sync.Mutex
	all []telemetry.Span
}

func (s *spans) Record(sp telemetry.Span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, sp)
}

func TestTracersSample(t *testing.T) {
	all, some, none := &spans{}, &spans{}, &spans{}
	ts := telemetry.NewTracers(
		telemetry.Sampled{Tracer: none}, telemetry.Sampled{},
		telemetry.Sampled{Tracer: some, Rate: 0.25}, telemetry.Sampled{Tracer: all, Rate: 1},
	)
	for range 4000 {
		tr := telemetry.NewTrace()
		require.True(t, ts.Sampled(tr))
		ts.Record(telemetry.Span{Trace: tr})
		ts.Record(telemetry.Span{Trace: tr.Child()})
	}
	assert.Len(t, all.all, 8000)
	assert.InDelta(t, 2000, len(some.all), 400)
	assert.Zero(t, len(some.all)%2, "a trace is recorded whole")
	assert.Empty(t, none.all)

	yes := telemetry.Trace{Span: 1, SampledKnown: true, Sampled: true}
	no := telemetry.Trace{Span: 1, SampledKnown: true}
	debug := telemetry.Trace{Span: 1, SampledKnown: true, Debug: true}
	assert.True(t, ts.Sampled(yes))
	assert.False(t, ts.Sampled(no))
	assert.True(t, ts.Sampled(debug))
	ts.Record(telemetry.Span{Trace: yes})
	ts.Record(telemetry.Span{Trace: no})
	ts.Record(telemetry.Span{Trace: debug})
	assert.Len(t, none.all, 2, "a decision that came along wins over the rate")

	assert.False(t, telemetry.NewTracers(telemetry.Sampled{Tracer: none}).Sampled(telemetry.NewTrace()))
	assert.False(t, telemetry.NewTracers().Sampled(yes))
	var nobody *telemetry.Tracers
	assert.False(t, nobody.Sampled(yes))
	nobody.Record(telemetry.Span{})
	nobody.Finish(nobody.Start(yes, telemetry.ServerSpan, "x"))
}

func TestStartFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := &spans{}
		ts := telemetry.NewTracers(telemetry.Sampled{Tracer: got})
		tr := telemetry.NewTrace().Sample(1)
		sp := ts.Start(tr, telemetry.ServerSpan, "http /svc/x")
		sp.Annotate(telemetry.AnnWireRecv)
		time.Sleep(time.Second)
		sp.Annotate(telemetry.AnnServerSend)
		sp.Tag(telemetry.TagService, "/svc/x")
		sp.Tag(telemetry.TagService, "/svc/y")
		ts.Finish(sp)
		require.Len(t, got.all, 1)
		s := got.all[0]
		assert.Equal(t, time.Second, s.End.Sub(s.Start))
		assert.Equal(t, time.Second, s.Annotations[1].Time.Sub(s.Annotations[0].Time))
		assert.Equal(t, "/svc/y", s.Lookup("service"), "the last one")
		assert.Empty(t, s.Lookup("client"))
		assert.Equal(t, "server", s.Kind.String())

		unsampled := ts.Start(telemetry.NewTrace(), telemetry.ClientSpan, "x")
		assert.Nil(t, unsampled)
		unsampled.Annotate("cs")
		unsampled.Tag("a", "b")
		assert.Empty(t, unsampled.Lookup("a"))
		ts.Finish(unsampled)
		assert.Len(t, got.all, 1)
	})
}

func TestUnsampledCostsNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	ts := telemetry.NewTracers(telemetry.Sampled{Tracer: &spans{}}, telemetry.Sampled{Tracer: &spans{}, Rate: 1e-12})
	tr := telemetry.NewTrace()
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		sp := ts.Start(tr, telemetry.ServerSpan, "x")
		sp.Annotate("sr")
		ts.Finish(sp)
	}))
}

func BenchmarkUnsampled(b *testing.B) {
	ts := telemetry.NewTracers(telemetry.Sampled{Tracer: &spans{}}, telemetry.Sampled{Tracer: &spans{}, Rate: 1e-12})
	tr := telemetry.NewTrace()
	b.ReportAllocs()
	for b.Loop() {
		sp := ts.Start(tr, telemetry.ServerSpan, "x")
		sp.Annotate("sr")
		ts.Finish(sp)
	}
}

// hop returns the spans of one router pass, the client's first as it ends first.
func hop(in telemetry.Trace, at time.Time, router, logical string, endpoints ...string) (server telemetry.Trace, out []telemetry.Span) {
	server = in.Child()
	for _, e := range endpoints {
		out = append(out, telemetry.Span{
			Trace: server.Child(), Kind: telemetry.ClientSpan, Start: at.Add(1), End: at.Add(2),
			Tags: []telemetry.Tag{{Key: "ca", Value: "router"}, {Key: "sa", Value: e}},
		})
	}
	return server, append(out, telemetry.Span{
		Trace: server, Kind: telemetry.ServerSpan, Start: at, End: at.Add(3),
		Tags: []telemetry.Tag{
			{Key: "router.label", Value: router},
			{Key: "service", Value: logical},
			{Key: "client", Value: "/#/fs" + logical},
			{Key: "ca", Value: "1.1.1.1:1"},
			{Key: "sa", Value: "0.0.0.0:4140"},
		},
	})
}

func TestRecentRequests(t *testing.T) {
	r := telemetry.NewRecent(2)
	record := func(all []telemetry.Span) {
		for _, s := range all {
			r.Record(s)
		}
	}
	logical := func() (all []string) {
		for _, row := range r.Requests() {
			all = append(all, row.Logical)
		}
		return all
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	assert.Empty(t, r.Requests())

	outer, first := hop(telemetry.NewTrace(), at, "out", "/svc/a", "2.2.2.2:2", "3.3.3.3:3")
	record(first)
	assert.Equal(t, []telemetry.RecentRequest{{
		Time: at, Source: "1.1.1.1:1", Server: "0.0.0.0:4140", Router: "out",
		Logical: "/svc/a", Concrete: "/#/fs/svc/a", Destination: "3.3.3.3:3", Trace: outer,
	}}, r.Requests(), "the last attempt's destination")

	_, second := hop(outer.Child(), at.Add(time.Millisecond), "in", "/svc/b", "4.4.4.4:4")
	record(second)
	assert.Equal(t, []string{"/svc/b", "/svc/a"}, logical(), "one trace through two routers, newest first")
	assert.Equal(t, "4.4.4.4:4", r.Requests()[0].Destination)
	assert.Equal(t, "3.3.3.3:3", r.Requests()[1].Destination, "of its own client span")

	_, failed := hop(telemetry.NewTrace(), at, "out", "/svc/nowhere")
	record(failed)
	_, partial := hop(telemetry.NewTrace(), at.Add(time.Second), "out", "", "5.5.5.5:5")
	record(partial)
	assert.Empty(t, logical(), "incomplete ones have no row, and took the place of the others")
	assert.Len(t, r.Traces(), 2)
	record(first)
	assert.Equal(t, []string{"/svc/a"}, logical(), "an evicted trace that comes back is a new one")
	assert.Len(t, r.Traces()[0], len(first))

	for i := range 20 {
		_, s := hop(telemetry.NewTrace(), at.Add(time.Duration(i)*time.Second), "out", fmt.Sprintf("/svc/%d", i), "5.5.5.5:5")
		record(s)
	}
	assert.Equal(t, []string{"/svc/19", "/svc/18"}, logical())
	newest := r.Traces()[0]
	assert.Equal(t, "/svc/19", newest[len(newest)-1].Lookup("service"))

	same := telemetry.NewTrace()
	for range 10_000 {
		r.Record(telemetry.Span{Trace: same.Child()})
	}
	assert.LessOrEqual(t, len(r.Traces()[0]), 64, "a trace cannot grow without end")
}

func TestRecentConcurrently(t *testing.T) {
	r := telemetry.NewRecent(0)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				_, s := hop(telemetry.NewTrace(), time.Now(), "r", "/svc/a", "1.1.1.1:1")
				for i := range s {
					r.Record(s[i])
				}
				r.Requests()
			}
		})
	}
	wg.Wait()
	assert.Len(t, r.Traces(), telemetry.DefaultRecent)
}

func TestTraceLog(t *testing.T) {
	var b bytes.Buffer
	h := slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	l := telemetry.NewTraceLog(slog.New(h), slog.LevelInfo)
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.FixedZone("CET", 3600))
	l.Record(telemetry.Span{
		Trace:       telemetry.Trace{TraceLow: 1, Span: 2, Parent: 3},
		Start:       at,
		Annotations: []telemetry.Annotation{{Time: at, Value: "wr"}, {Time: at.Add(time.Second), Value: "ws"}},
		Tags:        []telemetry.Tag{{Key: "service", Value: "/svc/x"}},
	})
	const id = "0000000000000001.0000000000000002<:0000000000000003] "
	assert.Equal(t, strings.Join([]string{
		`level=INFO msg="0102 02:04:05.006 ` + id + `wr" logger=io.l5d.tracelog`,
		`level=INFO msg="0102 02:04:06.006 ` + id + `ws" logger=io.l5d.tracelog`,
		`level=INFO msg="0102 02:04:05.006 ` + id + `service=/svc/x" logger=io.l5d.tracelog`,
		"",
	}, "\n"), b.String())

	b.Reset()
	telemetry.NewTraceLog(slog.New(h), slog.LevelDebug).Record(telemetry.Span{Annotations: []telemetry.Annotation{{}}})
	assert.Empty(t, b.String(), "below the logger's level")
	telemetry.NewTraceLog(nil, slog.LevelInfo).Record(telemetry.Span{Annotations: []telemetry.Annotation{{}}})
}
