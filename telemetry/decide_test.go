package telemetry_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/telemetry"
)

func TestDecide(t *testing.T) {
	tr := telemetry.NewTrace()
	only := func(list ...telemetry.Sampled) (sampled, known bool) {
		return telemetry.NewTracers(list...).Decide(tr).Decision()
	}
	at := func(rate float64, local bool) telemetry.Sampled {
		return telemetry.Sampled{Tracer: &spans{}, Rate: rate, Local: local}
	}
	for name, row := range map[string]struct {
		list           []telemetry.Sampled
		sampled, known bool
	}{
		"none":           {nil, false, false},
		"local alone":    {[]telemetry.Sampled{at(1, true)}, false, false},
		"all":            {[]telemetry.Sampled{at(1, false)}, true, true},
		"off":            {[]telemetry.Sampled{at(0, false)}, false, true},
		"the highest":    {[]telemetry.Sampled{at(0, false), at(1, false), at(1e-12, false)}, true, true},
		"but not local":  {[]telemetry.Sampled{at(0, false), at(1, true)}, false, true},
		"one in a while": {[]telemetry.Sampled{at(1e-18, false)}, false, true},
	} {
		sampled, known := only(row.list...)
		assert.Equal(t, []bool{row.sampled, row.known}, []bool{sampled, known}, name)
	}
	no := tr.Sample(0)
	sampled, _ := telemetry.NewTracers(at(1, false)).Decide(no).Decision()
	assert.False(t, sampled, "once is enough")
	var nobody *telemetry.Tracers
	assert.Equal(t, tr, nobody.Decide(tr))
	off := telemetry.NewTracers(at(1, false))
	off.Switch().Store(false)
	assert.Equal(t, tr, off.Decide(tr), "who is off has no say")
}

func TestLocalTracers(t *testing.T) {
	local, other := &spans{}, &spans{}
	ts := telemetry.NewTracers(telemetry.Sampled{Tracer: local, Rate: 1, Local: true}, telemetry.Sampled{Tracer: other})
	no := ts.Decide(telemetry.NewTrace())
	ts.Finish(ts.Start(no, telemetry.ServerSpan, "x"))
	assert.Len(t, local.all, 1, "it sees what others have no use for")
	assert.Empty(t, other.all)
	assert.Empty(t, local.all[0].Lookup(telemetry.TagSamplingRate))
	ts.Finish(ts.Start(telemetry.NewTrace().Sample(1), telemetry.ServerSpan, "x"))
	assert.Len(t, other.all, 1)
}

func TestSamplingRateTag(t *testing.T) {
	got := &spans{}
	ts := telemetry.NewTracers(telemetry.Sampled{Tracer: got, Rate: 1})
	root := ts.Decide(telemetry.NewTrace())
	ts.Finish(ts.Start(root, telemetry.ServerSpan, "root"))
	ts.Finish(ts.Start(root.Child(), telemetry.ClientSpan, "child"))
	ts.Finish(ts.Start(telemetry.NewTrace().Sample(1), telemetry.ServerSpan, "chosen elsewhere"))
	assert.Equal(t, "1", got.all[0].Lookup(telemetry.TagSamplingRate))
	assert.Empty(t, got.all[1].Lookup(telemetry.TagSamplingRate))
	assert.Empty(t, got.all[2].Lookup(telemetry.TagSamplingRate))
	assert.Contains(t, got.all[1].Lookup(telemetry.TagClientVersion), "weft")
}

func TestSwitch(t *testing.T) {
	got := &spans{}
	ts := telemetry.NewTracers(telemetry.Sampled{Tracer: got, Rate: 1})
	assert.True(t, ts.Switch().Load())
	yes := telemetry.NewTrace().Sample(1)
	begun := ts.Start(yes, telemetry.ServerSpan, "before")
	ts.Switch().Store(false)
	assert.False(t, ts.Sampled(yes))
	assert.Nil(t, ts.Start(yes, telemetry.ServerSpan, "meanwhile"))
	ts.Finish(begun)
	assert.Len(t, got.all, 1, "what had begun is recorded")
	ts.Switch().Store(true)
	assert.NotNil(t, ts.Start(yes, telemetry.ServerSpan, "after"))
}

// TestTracingOffAllocs: without tracers, or with rates of 0, a hop costs nothing.
func TestTracingOffAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for name, ts := range map[string]*telemetry.Tracers{
		"nil": nil, "none": telemetry.NewTracers(), "rate 0": telemetry.NewTracers(telemetry.Sampled{Tracer: &spans{}}),
	} {
		assert.Zero(t, testing.AllocsPerRun(100, func() { hopUnsampled(ts) }), name)
	}
}

// hopUnsampled is what a router does of tracing for a request.
func hopUnsampled(ts *telemetry.Tracers) telemetry.Trace {
	t := ts.Decide(telemetry.NewTrace())
	server := ts.Start(t, telemetry.ServerSpan, "x")
	t = ts.Next(t)
	client := ts.Start(t, telemetry.ClientSpan, "x")
	client.Annotate(telemetry.AnnClientSend)
	ts.Finish(client)
	server.Tag("a", "b")
	ts.Finish(server)
	return t
}

func BenchmarkTracingOff(b *testing.B) {
	for name, ts := range map[string]*telemetry.Tracers{
		"nil": nil, "none": telemetry.NewTracers(), "rate 0": telemetry.NewTracers(telemetry.Sampled{Tracer: &spans{}}),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				hopUnsampled(ts)
			}
		})
	}
}
