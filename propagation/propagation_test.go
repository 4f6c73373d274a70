package propagation_test

import (
	"context"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
)

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// recording are tracers that record what others want to have recorded, and decide
// nothing.
func recording() *telemetry.Tracers {
	return telemetry.NewTracers(telemetry.Sampled{Tracer: telemetry.NewRecent(1), Local: true})
}

func extract(ctx context.Context, tb testing.TB, h http.Header) context.Context {
	tb.Helper()
	ctx, cancel, err := propagation.Propagator{}.Extract(ctx, h, recording())
	require.NoError(tb, err)
	tb.Cleanup(cancel)
	return ctx
}

// TestDtab has V48 and the rules of §2.7.3.
func TestDtab(t *testing.T) {
	for name, row := range map[string]struct {
		process string
		headers []string
		want    string
	}{
		"V48":                {"/a=>/b", []string{"l5d-ctx-dtab", "/a => /c", "l5d-dtab", "/a => /d"}, "/a=>/b;/a=>/c;/a=>/d"},
		"user last":          {"", []string{"l5d-dtab", "/a=>/d", "l5d-ctx-dtab", "/a=>/c"}, "/a=>/c;/a=>/d"},
		"values in order":    {"", []string{"l5d-ctx-dtab", "/a=>/b", "l5d-dtab", "/d=>/e", "l5d-ctx-dtab", "/b => /c;"}, "/a=>/b;/b=>/c;/d=>/e"},
		"canonical":          {"", []string{"L5D-DTAB", " /a => 1*/b & 3*/c ; "}, "/a=>/b & 3.00*/c"},
		"none":               {"", nil, ""},
		"in-process only":    {"/a=>/b", nil, "/a=>/b"},
		"empty":              {"", []string{"l5d-dtab", ""}, ""},
		"dtab-local is kept": {"", []string{"dtab-local", "/a=>/b"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := header(row.headers...)
			ctx := extract(weft.WithDtab(t.Context(), dtab.MustParse(row.process)), t, h)
			assert.Equal(t, row.want, weft.LocalDtab(ctx).String())
			assert.NotContains(t, h, "L5d-Ctx-Dtab")
			assert.NotContains(t, h, "L5d-Dtab")
			propagation.Propagator{}.Inject(ctx, h)
			assert.Equal(t, row.want, h.Get("l5d-ctx-dtab"))
			assert.NotContains(t, h, "L5d-Dtab")
			if name == "dtab-local is kept" {
				assert.Equal(t, "/a=>/b", h.Get("dtab-local"))
			}
		})
	}
}

func TestDtabError(t *testing.T) {
	h := header("l5d-ctx-dtab", "/a=>/b", "l5d-dtab", "i am not a dtab", "l5d-ctx-deadline", "1 2")
	ctx, cancel, err := propagation.Propagator{}.Extract(t.Context(), h, nil)
	defer cancel()
	var syntax *dtab.SyntaxError
	require.ErrorAs(t, err, &syntax)
	assert.Contains(t, err.Error(), "expected but 'i' found at '[i] am not a dtab'")
	assert.NoError(t, ctx.Err())
	assert.NotContains(t, h, "L5d-Ctx-Dtab")
	assert.NotContains(t, h, "L5d-Dtab")
}

// V50, and its parts.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		at := func(stamp, deadline time.Duration) propagation.Deadline {
			return propagation.Deadline{Timestamp: now.Add(stamp), At: now.Add(deadline)}
		}
		s := time.Second
		for name, row := range map[string]struct {
			process propagation.Deadline
			headers []propagation.Deadline
			want    propagation.Deadline
		}{
			"V50":                {at(0, 2*s), []propagation.Deadline{at(s, 10*s), at(2*s, 8*s)}, at(2*s, 2*s)},
			"header only":        {propagation.Deadline{}, []propagation.Deadline{at(-s, 10*s)}, at(-s, 10*s)},
			"two headers":        {propagation.Deadline{}, []propagation.Deadline{at(-s, 10*s), at(-2*s, 8*s)}, at(-s, 8*s)},
			"in-process only":    {at(0, 2*s), nil, at(0, 2*s)},
			"later in-process":   {at(0, 20*s), []propagation.Deadline{at(-s, 10*s)}, at(0, 10*s)},
			"expired, passed on": {propagation.Deadline{}, []propagation.Deadline{at(-9*s, -s)}, at(-9*s, -s)},
		} {
			func() {
				ctx, cancel := propagation.WithDeadline(t.Context(), row.process)
				defer cancel()
				h := http.Header{}
				for _, d := range row.headers {
					h.Add("l5d-ctx-deadline", d.String())
				}
				ctx = extract(ctx, t, h)
				assert.NotContains(t, h, "L5d-Ctx-Deadline", name)
				got := propagation.DeadlineFrom(ctx)
				assert.Equal(t, row.want.String(), got.String(), name)
				own, ok := ctx.Deadline()
				assert.True(t, ok, name)
				assert.True(t, own.Equal(row.want.At), "%s: it is enforced", name)
				propagation.Propagator{}.Inject(ctx, h)
				assert.Equal(t, []string{row.want.String()}, h.Values("l5d-ctx-deadline"), name)
			}()
		}
	})
}

// V51: no deadline, no header; and what cannot be read passes through.
func TestNoDeadline(t *testing.T) {
	h := header("l5d-ctx-deadline", "soon")
	ctx := extract(t.Context(), t, h)
	assert.True(t, propagation.DeadlineFrom(ctx).IsZero())
	assert.Equal(t, "soon", h.Get("l5d-ctx-deadline"))
	propagation.Propagator{}.Inject(ctx, h)
	assert.Equal(t, "soon", h.Get("l5d-ctx-deadline"))

	out := http.Header{}
	propagation.Propagator{}.Inject(ctx, out)
	assert.NotContains(t, out, "L5d-Ctx-Deadline")

	mixed := header("l5d-ctx-deadline", "soon", "l5d-ctx-deadline", "1 9000000000000000000")
	assert.False(t, propagation.DeadlineFrom(extract(t.Context(), t, mixed)).IsZero())
	assert.NotContains(t, mixed, "L5d-Ctx-Deadline")

	same, cancel := propagation.WithDeadline(t.Context(), propagation.Deadline{})
	defer cancel()
	assert.Equal(t, t.Context(), same)
	assert.Equal(t, t.Context(), propagation.Advertise(t.Context(), propagation.Deadline{}))
}

// TestDeadlineOfContext: timeouts that others set count as set when they are read.
func TestDeadlineOfContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		time.Sleep(time.Second)
		d := propagation.DeadlineFrom(ctx)
		assert.Equal(t, start.Add(time.Second), d.Timestamp)
		assert.Equal(t, start.Add(time.Minute), d.At)

		ctx, cancel = propagation.WithDeadline(ctx, propagation.Deadline{Timestamp: start, At: start.Add(30 * time.Second)})
		defer cancel()
		tight, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		time.Sleep(time.Second / 2)
		d = propagation.DeadlineFrom(tight)
		assert.Equal(t, start.Add(1500*time.Millisecond), d.Timestamp)
		assert.Equal(t, start.Add(2*time.Second), d.At)

		told := propagation.Advertise(ctx, propagation.Deadline{Timestamp: start, At: start.Add(3 * time.Second)})
		assert.Equal(t, start.Add(3*time.Second), propagation.DeadlineFrom(told).At)
		own, _ := told.Deadline()
		assert.Equal(t, start.Add(30*time.Second), own, "the context itself is as it was")
	})
}

func TestParseDeadline(t *testing.T) {
	for in, want := range map[string][]int64{
		"1 2":                       {1, 2},
		"-1 -2":                     {-1, -2},
		"+1 2":                      {1, 2},
		"1 2 3 x":                   {1, 2},
		"1 2 ":                      {1, 2},
		"0 9223372036854775807":     {0, math.MaxInt64},
		"-9223372036854775808 0":    {math.MinInt64, 0},
		"":                          nil,
		"1":                         nil,
		" 1 2":                      nil,
		"1  2":                      nil,
		"1,2":                       nil,
		"1 2x":                      nil,
		"1_0 2":                     nil,
		"1.5 2":                     nil,
		"1 9223372036854775808":     nil,
		"1\t2":                      nil,
		"1 2\n":                     nil,
		"1690000000000000000 later": nil,
	} {
		d, ok := propagation.ParseDeadline(in)
		assert.Equal(t, want != nil, ok, "%q", in)
		if ok && want != nil {
			assert.Equal(t, want, []int64{d.Timestamp.UnixNano(), d.At.UnixNano()}, "%q", in)
		}
	}
}

// V52.
func TestSample(t *testing.T) {
	for value, want := range map[string]struct {
		share float64
		known bool
	}{"yes": {0, false}, "-3": {0, true}, "0": {0, true}, "0.2": {.2, true}, "1": {1, true}, "1.5": {1, true}} {
		const n = 2000
		sampled := 0
		for range n {
			h := header("l5d-sample", value)
			trace, ok := telemetry.TraceFrom(extract(context.Background(), t, h))
			require.True(t, ok)
			require.Equal(t, want.known, trace.SampledKnown, value)
			require.Empty(t, h, "it is removed")
			if trace.Sampled {
				sampled++
			}
		}
		assert.InDelta(t, want.share, float64(sampled)/n, 1e-9+5*math.Sqrt(want.share*(1-want.share)/n), value)
	}
}

func TestTrace(t *testing.T) {
	in := telemetry.Trace{TraceHigh: 9, TraceLow: 0xabc, Span: 2, Parent: 3, SampledKnown: true, Sampled: true}
	h := header("l5d-ctx-trace", in.EncodeString(), "l5d-reqid", "left over", "x-b3-spanid", "7")
	ctx := extract(t.Context(), t, h)
	server, ok := telemetry.TraceFrom(ctx)
	require.True(t, ok)
	assert.Equal(t, in.Span, server.Parent)
	assert.NotEqual(t, in.Span, server.Span)
	assert.Equal(t, []uint64{9, 0xabc}, []uint64{server.TraceHigh, server.TraceLow})
	assert.True(t, server.Sampled && server.SampledKnown)
	assert.NotContains(t, h, "L5d-Ctx-Trace")

	again := extract(ctx, t, http.Header{})
	same, _ := telemetry.TraceFrom(again)
	assert.Equal(t, server, same, "what is in the context holds")

	client, span := propagation.ClientSpan(ctx, recording())
	assert.Equal(t, server.Span, span.Parent)
	propagation.Propagator{}.Inject(client, h)
	assert.Equal(t, "0000000000000abc", h.Get("l5d-reqid"))
	out, err := telemetry.ParseTrace(h.Get("l5d-ctx-trace"))
	require.NoError(t, err)
	assert.Equal(t, span, out)
	assert.Equal(t, "7", h.Get("x-b3-spanid"), "not ours")
}

// TestOneTracePerRequest: all that is done for a request that came without a trace is
// one trace.
func TestOneTracePerRequest(t *testing.T) {
	for name, h := range map[string]http.Header{
		"none": {}, "unreadable": header("l5d-ctx-trace", "!!!"), "short": header("l5d-ctx-trace", "AAAA"),
	} {
		ctx := extract(t.Context(), t, h)
		_, one := propagation.ClientSpan(ctx, recording())
		_, two := propagation.ClientSpan(ctx, recording())
		assert.Equal(t, one.TraceLow, two.TraceLow, name)
		assert.NotEqual(t, one.Span, two.Span, name)
		assert.NotContains(t, h, "L5d-Ctx-Trace", name)
	}
	_, root := propagation.ClientSpan(t.Context(), nil)
	assert.False(t, root.HasParent())
	bare := http.Header{}
	propagation.Propagator{}.Inject(t.Context(), bare)
	assert.Empty(t, bare)
}

func TestB3(t *testing.T) {
	b3 := propagation.Zipkin()
	for name, row := range map[string]struct {
		in           []string
		trace, span  uint64 // of the incoming span; 0: a new trace
		sampled, has bool
	}{
		"full":                {[]string{"x-b3-traceid", "1f", "x-b3-spanid", "2f", "x-b3-parentspanid", "3f", "x-b3-sampled", "1"}, 0x1f, 0x2f, true, true},
		"span only":           {[]string{"x-b3-spanid", "2f"}, 0x2f, 0x2f, false, false},
		"128 bits are kept":   {[]string{"x-b3-traceid", "ffffffffffffffff000000000000001f", "x-b3-spanid", "2"}, 0x1f, 2, false, false},
		"not sampled":         {[]string{"x-b3-spanid", "2", "x-b3-sampled", "0"}, 2, 2, false, true},
		"words":               {[]string{"x-b3-spanid", "2", "x-b3-sampled", "TRUE"}, 2, 2, true, true},
		"debug":               {[]string{"x-b3-spanid", "2", "x-b3-flags", "1"}, 2, 2, true, true},
		"no span":             {[]string{"x-b3-traceid", "1f", "x-b3-sampled", "1"}, 0, 0, false, false},
		"bad span":            {[]string{"x-b3-spanid", "xyz"}, 0, 0, false, false},
		"linkerd's is unused": {[]string{"l5d-ctx-trace", telemetry.NewTrace().EncodeString(), "l5d-sample", "1"}, 0, 0, false, false},
		"bad decision":        {[]string{"x-b3-spanid", "2", "x-b3-sampled", "maybe"}, 2, 2, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := header(row.in...)
			ctx, cancel, err := b3.Extract(t.Context(), h, recording())
			require.NoError(t, err)
			defer cancel()
			trace, ok := telemetry.TraceFrom(ctx)
			require.True(t, ok)
			if row.span != 0 {
				assert.Equal(t, []uint64{row.trace, row.span}, []uint64{trace.TraceLow, trace.Parent})
			}
			sampled, has := trace.Decision()
			assert.Equal(t, []bool{row.sampled, row.has}, []bool{sampled, has})

			client, span := propagation.ClientSpan(ctx, recording())
			b3.Inject(client, h)
			assert.NotContains(t, h, "L5d-Ctx-Trace")
			assert.NotContains(t, h, "L5d-Sample")
			assert.NotContains(t, h, "L5d-Reqid")
			assert.Len(t, h.Get("x-b3-spanid"), 16)
			assert.Equal(t, row.has, h.Get("x-b3-sampled") != "", "only what is decided is told")

			next, cancel, err := b3.Extract(t.Context(), h, recording())
			require.NoError(t, err)
			defer cancel()
			got, _ := telemetry.TraceFrom(next)
			assert.Equal(t, []uint64{span.TraceLow, span.Span}, []uint64{got.TraceLow, got.Parent}, "the next hop sees the same")
		})
	}
}
