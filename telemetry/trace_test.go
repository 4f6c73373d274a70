package telemetry_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/telemetry"
)

func TestNewTraceAndChild(t *testing.T) {
	root := telemetry.NewTrace()
	assert.False(t, root.HasParent())
	assert.Equal(t, root.TraceLow, root.Span)
	_, known := root.Decision()
	assert.False(t, known)
	assert.NotEqual(t, root, telemetry.NewTrace())

	root.TraceHigh = 7
	root = root.WithFlags(0xf0 | 6)
	child := root.Child()
	assert.True(t, child.HasParent())
	assert.Equal(t, root.Span, child.Parent)
	assert.NotEqual(t, root.Span, child.Span)
	assert.Equal(t, root.TraceLow, child.TraceLow)
	assert.Equal(t, uint64(7), child.TraceHigh)
	assert.Equal(t, root.Flags(), child.Flags(), "sampling is kept")

	assert.False(t, telemetry.Trace{}.Child().IsZero(), "the child of nothing is a new trace")
	assert.False(t, telemetry.Trace{Span: 1}.HasParent())
}

func TestTraceCodecVectors(t *testing.T) {
	for _, v := range []struct {
		id, hex string
		want    telemetry.Trace
		flags   uint64
	}{
		{
			"root", "0000000000000001" + "0000000000000001" + "0000000000000001" + "0000000000000000",
			telemetry.Trace{Span: 1, Parent: 1, TraceLow: 1},
			0,
		},
		{
			"child, sampled", "0102030405060708" + "1112131415161718" + "2122232425262728" + "0000000000000006",
			telemetry.Trace{Span: 0x0102030405060708, Parent: 0x1112131415161718, TraceLow: 0x2122232425262728, SampledKnown: true, Sampled: true},
			6,
		},
		{
			"not sampled", "0000000000000001" + "0000000000000002" + "0000000000000003" + "0000000000000002",
			telemetry.Trace{Span: 1, Parent: 2, TraceLow: 3, SampledKnown: true},
			2,
		},
		{
			"debug", "0000000000000001" + "0000000000000002" + "0000000000000003" + "0000000000000001",
			telemetry.Trace{Span: 1, Parent: 2, TraceLow: 3, Debug: true},
			1,
		},
		{
			"128 bits", "0000000000000001" + "0000000000000002" + "0000000000000003" + "0000000000000000" + "0000000000000009",
			telemetry.Trace{Span: 1, Parent: 2, TraceLow: 3, TraceHigh: 9},
			0,
		},
	} {
		raw, err := hex.DecodeString(v.hex)
		require.NoError(t, err)
		text := base64.StdEncoding.EncodeToString(raw)
		got, err := telemetry.ParseTrace(text)
		require.NoError(t, err, v.id)
		assert.Equal(t, v.want, got, v.id)
		assert.Equal(t, v.flags, got.Flags(), v.id)
		assert.Equal(t, text, got.EncodeString(), v.id)
		assert.Equal(t, raw, got.Append(nil), v.id)
		assert.Equal(t, "x"+text, string(got.AppendBase64([]byte("x"))), v.id)
	}
	unknown := telemetry.Trace{Span: 1}.WithFlags(1 << 40)
	got, err := telemetry.DecodeTrace(unknown.Append(nil))
	require.NoError(t, err)
	assert.Equal(t, uint64(1<<40), got.Child().Flags(), "unknown flags are passed on")
}

func TestTraceCodecRejects(t *testing.T) {
	good := telemetry.NewTrace().EncodeString()
	long := telemetry.Trace{TraceHigh: 1}.EncodeString()
	for _, s := range []string{
		"", "x", good[:43], good + "=", good[:40], good + good, "*" + good[1:], good[:43] + "A",
		good[:20] + "\n\n\n\n" + good[24:], long[:40] + "\r\n\r\n" + long[44:], long[:52], good + strings.Repeat("\n", 12), "====" + good[4:],
		base64.URLEncoding.EncodeToString([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")),
	} {
		_, err := telemetry.ParseTrace(s)
		require.ErrorIs(t, err, telemetry.ErrTrace, "%q", s)
	}
	for _, n := range []int{0, 24, 31, 33, 39, 41} {
		_, err := telemetry.DecodeTrace(make([]byte, n))
		require.ErrorIs(t, err, telemetry.ErrTrace, n)
	}
}

func FuzzParseTrace(f *testing.F) {
	f.Add(telemetry.NewTrace().EncodeString())
	f.Add(telemetry.Trace{TraceHigh: 1, Span: 3, Parent: 4}.WithFlags(math.MaxUint64).EncodeString())
	f.Add("AAAA\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	f.Fuzz(func(t *testing.T, s string) {
		tr, err := telemetry.ParseTrace(s)
		if err != nil {
			assert.True(t, tr.IsZero())
			return
		}
		again, err := telemetry.ParseTrace(tr.EncodeString())
		require.NoError(t, err)
		assert.Equal(t, tr, again)
	})
}

func TestTraceText(t *testing.T) {
	tr := telemetry.Trace{TraceLow: 0xabc, Span: 2, Parent: 3}
	assert.Equal(t, "0000000000000abc", tr.ReqID())
	assert.Equal(t, "0000000000000abc.0000000000000002<:0000000000000003", tr.String())
	tr.TraceHigh, tr.Parent = 1, 0
	assert.Equal(t, "0000000000000abc", tr.ReqID(), "the low half")
	assert.Equal(t, "00000000000000010000000000000abc.0000000000000002<:0000000000000002", tr.String())
}

func TestTraceContext(t *testing.T) {
	_, ok := telemetry.TraceFrom(context.Background())
	assert.False(t, ok)
	tr := telemetry.NewTrace()
	got, ok := telemetry.TraceFrom(telemetry.WithTrace(context.Background(), tr))
	assert.True(t, ok)
	assert.Equal(t, tr, got)
}

func TestParseSample(t *testing.T) {
	for s, want := range map[string]float64{"0": 0, "1": 1, "0.25": 0.25, " .5 ": 0.5, "7": 1, "-2": 0, "1e999": 1, "-inf": 0} {
		got, ok := telemetry.ParseSample(s)
		assert.True(t, ok, s)
		assert.InDelta(t, want, got, 0, s)
	}
	for _, s := range []string{"", "x", "nan", "0.5x"} {
		_, ok := telemetry.ParseSample(s)
		assert.False(t, ok, s)
	}
}

func TestSample(t *testing.T) {
	sampled := func(tr telemetry.Trace) bool { s, _ := tr.Decision(); return s }
	for _, rate := range []float64{0, 0.001, 0.1, 0.5, 1} {
		const n = 20_000
		random, counted := 0, 0
		for i := range n {
			tr := telemetry.NewTrace().Sample(rate)
			if sampled(tr) {
				random++
			}
			assert.True(t, tr.SampledKnown)
			if sampled((telemetry.Trace{TraceLow: uint64(i)}).Sample(rate)) {
				counted++ // ids need not be random
			}
		}
		slack := 6*math.Sqrt(n*rate*(1-rate)) + 0.5
		assert.InDelta(t, rate*n, random, slack, rate)
		assert.InDelta(t, rate*n, counted, slack, rate)
	}
	tr := telemetry.NewTrace()
	assert.Equal(t, tr.Sample(0.5), tr.Sample(0.5), "the same everywhere")
	assert.False(t, sampled(telemetry.Trace{Span: 1, SampledKnown: true, Sampled: true}.Sample(0)), "the newest decision counts")
	assert.True(t, sampled(telemetry.Trace{Span: 1, SampledKnown: true}.Sample(1)))
	assert.True(t, sampled(telemetry.Trace{Span: 1, Debug: true}.Sample(0)), "debug is always sampled")
	assert.False(t, sampled(telemetry.NewTrace().Sample(math.NaN())))
}

func TestTraceDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	buf := make([]byte, 0, 64)
	tr := telemetry.NewTrace().Sample(1)
	tr.TraceHigh = 1
	text := tr.EncodeString()
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		got, err := telemetry.ParseTrace(text)
		if err != nil {
			t.Fail()
		}
		buf = got.Child().AppendBase64(buf[:0])
		buf = got.AppendReqID(buf[:0])
	}))
	assert.InDelta(t, 1, testing.AllocsPerRun(100, func() { text = tr.EncodeString() }), 0, "the string")
}

func BenchmarkTraceHop(b *testing.B) {
	text := telemetry.NewTrace().EncodeString()
	buf := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		tr, _ := telemetry.ParseTrace(text)
		buf = tr.Child().Child().AppendBase64(buf[:0])
	}
}
