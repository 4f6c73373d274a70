package propagation_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
)

const (
	idHigh, idLow = "0af7651916cd43dd", "8448eb211c80319c"
	id128         = idHigh + idLow
)

// took is what came of reading headers: the trace of the server's span.
func took(t *testing.T, p propagation.Propagator, h http.Header) telemetry.Trace {
	t.Helper()
	got, _ := p.TakeTrace(context.Background(), carrier(h), recording())
	return got
}

// carrier is a http.Header that is looked up as the adapters look it up.
type carrier http.Header

func (c carrier) Values(key string) []string { return c[key] }
func (c carrier) Set(key, value string)      { c[key] = []string{value} }
func (c carrier) Del(key string)             { delete(c, key) }

func TestReadForms(t *testing.T) {
	const span = 0xb7ad6b7169203331
	type row struct {
		headers   []string
		high, low uint64 // 0: a new trace
		parent    uint64
		decision  string // "1", "0", "d" or ""
	}
	const high, low = 0x0af7651916cd43dd, 0x8448eb211c80319c
	for name, r := range map[string]row{
		"w3c sampled":               {[]string{"traceparent", "00-" + id128 + "-b7ad6b7169203331-01"}, high, low, span, "1"},
		"w3c not sampled":           {[]string{"traceparent", "00-" + id128 + "-b7ad6b7169203331-00"}, high, low, span, "0"},
		"w3c other flags":           {[]string{"traceparent", "00-" + id128 + "-b7ad6b7169203331-fe"}, high, low, span, "0"},
		"w3c later version":         {[]string{"traceparent", "01-" + id128 + "-b7ad6b7169203331-03-what-else"}, high, low, span, "1"},
		"w3c later, as long":        {[]string{"traceparent", "cc-" + id128 + "-b7ad6b7169203331-01"}, high, low, span, "1"},
		"w3c 64 bits":               {[]string{"traceparent", "00-0000000000000000" + idLow + "-b7ad6b7169203331-01"}, 0, low, span, "1"},
		"w3c later, longer":         {[]string{"traceparent", "01-" + id128 + "-b7ad6b7169203331-01x"}, 0, 0, 0, ""},
		"w3c 00, longer":            {[]string{"traceparent", "00-" + id128 + "-b7ad6b7169203331-01-x"}, 0, 0, 0, ""},
		"w3c version ff":            {[]string{"traceparent", "ff-" + id128 + "-b7ad6b7169203331-01"}, 0, 0, 0, ""},
		"w3c upper case":            {[]string{"traceparent", "00-" + strings.ToUpper(id128) + "-b7ad6b7169203331-01"}, 0, 0, 0, ""},
		"w3c no trace":              {[]string{"traceparent", "00-" + strings.Repeat("0", 32) + "-b7ad6b7169203331-01"}, 0, 0, 0, ""},
		"w3c no span":               {[]string{"traceparent", "00-" + id128 + "-0000000000000000-01"}, 0, 0, 0, ""},
		"w3c short":                 {[]string{"traceparent", "00-" + id128 + "-b7ad6b7169203331-0"}, 0, 0, 0, ""},
		"w3c no dash":               {[]string{"traceparent", "00-" + id128 + "_b7ad6b7169203331-01"}, 0, 0, 0, ""},
		"w3c no hex":                {[]string{"traceparent", "00-" + id128 + "-b7ad6b716920333g-01"}, 0, 0, 0, ""},
		"w3c empty":                 {[]string{"traceparent", ""}, 0, 0, 0, ""},
		"w3c twice":                 {[]string{"traceparent", "00-" + id128 + "-b7ad6b7169203331-01", "traceparent", "00-" + id128 + "-b7ad6b7169203332-01"}, 0, 0, 0, ""},
		"b3 sampled":                {[]string{"b3", id128 + "-b7ad6b7169203331-1"}, high, low, span, "1"},
		"b3 debug":                  {[]string{"b3", id128 + "-b7ad6b7169203331-d-05e3ac9a4f6e3b90"}, high, low, span, "d"},
		"b3 not sampled":            {[]string{"b3", idLow + "-b7ad6b7169203331-0"}, 0, low, span, "0"},
		"b3 deferred":               {[]string{"b3", id128 + "-b7ad6b7169203331"}, high, low, span, ""},
		"b3 upper case":             {[]string{"b3", strings.ToUpper(id128) + "-B7AD6B7169203331"}, high, low, span, ""},
		"b3 0":                      {[]string{"b3", "0"}, 0, 0, 0, "0"},
		"b3 1":                      {[]string{"b3", "1"}, 0, 0, 0, "1"},
		"b3 d":                      {[]string{"b3", "d"}, 0, 0, 0, "d"},
		"b3 no decision":            {[]string{"b3", "maybe"}, 0, 0, 0, ""},
		"b3 bad decision":           {[]string{"b3", id128 + "-b7ad6b7169203331-x"}, 0, 0, 0, ""},
		"b3 bad parent":             {[]string{"b3", id128 + "-b7ad6b7169203331-1-12"}, 0, 0, 0, ""},
		"b3 no span":                {[]string{"b3", id128 + "-0000000000000000-1"}, 0, 0, 0, ""},
		"b3 twice":                  {[]string{"b3", id128 + "-b7ad6b7169203331-1", "b3", id128 + "-b7ad6b7169203332-1"}, 0, 0, 0, ""},
		"b3 parent of zero":         {[]string{"b3", id128 + "-b7ad6b7169203331-1-0000000000000000"}, high, low, span, "1"},
		"b3 short span":             {[]string{"b3", id128 + "-b7ad6b71"}, 0, 0, 0, ""},
		"b3 odd trace":              {[]string{"b3", id128[1:] + "-b7ad6b7169203331"}, 0, 0, 0, ""},
		"b3 too long":               {[]string{"b3", id128 + "-b7ad6b7169203331-1-05e3ac9a4f6e3b90-1"}, 0, 0, 0, ""},
		"multi":                     {[]string{"x-b3-traceid", id128, "x-b3-spanid", "b7ad6b7169203331", "x-b3-sampled", "1"}, high, low, span, "1"},
		"multi, in words":           {[]string{"x-b3-spanid", "b7ad6b7169203331", "x-b3-sampled", "false"}, 0, span, span, "0"},
		"multi, parent of zero":     {[]string{"x-b3-traceid", idLow, "x-b3-spanid", "b7ad6b7169203331", "x-b3-parentspanid", "0"}, 0, low, span, ""},
		"multi, a decision alone":   {[]string{"x-b3-sampled", "0"}, 0, 0, 0, "0"},
		"multi, debug alone":        {[]string{"x-b3-flags", "1"}, 0, 0, 0, "d"},
		"multi, trace id too long":  {[]string{"x-b3-traceid", "1" + id128, "x-b3-spanid", "1"}, 0, 0, 0, ""},
		"multi, no trace":           {[]string{"x-b3-traceid", "0", "x-b3-spanid", "1"}, 0, 0, 0, ""},
		"multi, span of zero":       {[]string{"x-b3-traceid", "1", "x-b3-spanid", "0"}, 0, 0, 0, ""},
		"multi, trace without span": {[]string{"x-b3-traceid", "1", "x-b3-sampled", "1"}, 0, 0, 0, ""},
		"invalid and valid":         {[]string{"traceparent", "00", "b3", id128 + "-b7ad6b7169203331-1"}, high, low, span, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			h := header(r.headers...)
			got := took(t, propagation.Propagator{}, h)
			sampled, known := got.Decision()
			decision := ""
			switch {
			case got.Debug:
				decision = "d"
			case sampled:
				decision = "1"
			case known:
				decision = "0"
			}
			assert.Equal(t, r.decision, decision)
			if r.low == 0 {
				assert.False(t, got.HasParent(), "a new trace")
				assert.NotEqual(t, uint64(low), got.TraceLow)
			} else {
				assert.Equal(t, []uint64{r.high, r.low, r.parent}, []uint64{got.TraceHigh, got.TraceLow, got.Parent})
				assert.NotEqual(t, r.parent, got.Span)
			}
			// Whatever came, the next hop gets it in the same form, and understands it.
			client := got.Child()
			propagation.Propagator{}.InjectSpan(context.Background(), client, propagation.Deadline{}, carrier(h))
			assert.NotEmpty(t, h.Get("l5d-ctx-trace"))
			for i := 0; i < len(r.headers); i += 2 {
				if r.headers[i] != "x-b3-sampled" || r.decision != "" {
					assert.Len(t, h.Values(r.headers[i]), 1, r.headers[i])
				}
			}
			h.Del("l5d-ctx-trace")
			next := took(t, propagation.Propagator{}, h)
			assert.Equal(t, []uint64{client.TraceHigh, client.TraceLow, client.Span}, []uint64{next.TraceHigh, next.TraceLow, next.Parent})
		})
	}
}

// TestMostSpecificForm: the rules of the package comment.
func TestMostSpecificForm(t *testing.T) {
	// What the application was sent: the proxy's client span 0x10, part of 0x9.
	sent := telemetry.Trace{TraceHigh: 0x0af7651916cd43dd, TraceLow: 0x8448eb211c80319c, Span: 0x10, Parent: 0x9}
	known, no := sent, sent
	known.SampledKnown, known.Sampled = true, true
	no.SampledKnown = true
	short := sent
	short.TraceHigh = 0
	w3c := func(span, flags string) string { return "00-" + id128 + "-" + span + "-" + flags }
	const old, fresh, older, newest = "0000000000000010", "0000000000000011", "0000000000000009", "0000000000000012"
	other := "00-" + strings.Repeat("1", 32) + "-" + fresh + "-01"
	for name, r := range map[string]struct {
		l5d      telemetry.Trace
		headers  []string
		parent   uint64
		decision string
		kept     string // a header that is left as it is
	}{
		"l5d copied, w3c span":          {known, []string{"traceparent", w3c(fresh, "01")}, 0x11, "1", ""},
		"l5d copied, b3 span":           {known, []string{"b3", id128 + "-" + fresh + "-1-" + old}, 0x11, "1", ""},
		"l5d copied, b3 multi span":     {known, []string{"x-b3-traceid", id128, "x-b3-spanid", fresh}, 0x11, "1", ""},
		"all copied":                    {known, []string{"traceparent", w3c(old, "01"), "b3", id128 + "-" + old + "-1"}, 0x10, "1", ""},
		"w3c copied, b3 span":           {known, []string{"traceparent", w3c(old, "01"), "b3", id128 + "-" + fresh + "-1"}, 0x11, "1", ""},
		"two spans, one of the other":   {known, []string{"traceparent", w3c(fresh, "01"), "b3", id128 + "-" + newest + "-1-" + fresh}, 0x12, "1", ""},
		"two spans":                     {known, []string{"traceparent", w3c(fresh, "01"), "b3", id128 + "-" + newest + "-1"}, 0x11, "1", ""},
		"an older one":                  {known, []string{"traceparent", w3c(older, "01")}, 0x10, "1", ""},
		"another trace":                 {known, []string{"traceparent", other}, 0x10, "1", other},
		"upper half lost":               {short, []string{"traceparent", w3c(fresh, "01")}, 0x11, "1", ""},
		"undecided, w3c cannot say so":  {sent, []string{"traceparent", w3c(fresh, "00")}, 0x11, "", ""},
		"undecided, the sender decides": {sent, []string{"traceparent", w3c(fresh, "01")}, 0x11, "1", ""},
		"undecided, b3 decides against": {sent, []string{"b3", id128 + "-" + fresh + "-0"}, 0x11, "0", ""},
		"against, the sender wants it":  {no, []string{"b3", id128 + "-" + fresh + "-1"}, 0x11, "1", ""},
		"for, w3c does not":             {known, []string{"traceparent", w3c(fresh, "00")}, 0x11, "1", ""},
		"debug is wanted":               {known, []string{"b3", id128 + "-" + fresh + "-d"}, 0x11, "d", ""},
		"a decision alone":              {sent, []string{"b3", "1"}, 0x10, "1", ""},
		"a decision too late":           {no, []string{"b3", "1"}, 0x10, "0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			check := func(got telemetry.Trace, h http.Header) {
				assert.Equal(t, []uint64{sent.TraceLow, r.parent}, []uint64{got.TraceLow, got.Parent})
				assert.Equal(t, sent.TraceHigh, got.TraceHigh, "an upper half that was lost comes back")
				sampled, decided := got.Decision()
				if r.decision == "d" {
					assert.True(t, got.Debug)
				} else {
					assert.False(t, got.Debug)
					assert.Equal(t, r.decision, map[bool]string{true: map[bool]string{true: "1", false: "0"}[sampled]}[decided])
				}
				propagation.Propagator{}.InjectSpan(context.Background(), got.Child(), propagation.Deadline{}, carrier(h))
				if r.kept != "" {
					assert.Equal(t, []string{r.kept}, h.Values(r.headers[0]), "somebody else's")
				}
			}
			h := header(append([]string{"l5d-ctx-trace", r.l5d.EncodeString()}, r.headers...)...)
			check(took(t, propagation.Propagator{}, h), h)

			// The same where the application has its trace in the context.
			h = header(r.headers...)
			ctx := telemetry.WithTrace(context.Background(), r.l5d)
			got, _ := propagation.Propagator{}.TakeTrace(ctx, carrier(h), recording())
			if r.parent == r.l5d.Span {
				assert.Equal(t, r.l5d.Span, got.Span, "the context's own")
				return
			}
			check(got, h)
		})
	}
	// Without l5d headers.
	got := took(t, propagation.Propagator{}, header("traceparent", other, "b3", id128+"-"+fresh+"-1"))
	assert.Equal(t, uint64(0x1111111111111111), got.TraceLow, "W3C first")
	got = took(t, propagation.Propagator{}, header("x-b3-traceid", "1", "x-b3-spanid", "1", "b3", id128+"-"+fresh+"-1"))
	assert.Equal(t, sent.TraceLow, got.TraceLow, "the single header before the five")
}

// TestB3IsWritten: all of the five headers are those of the span, and none is left of
// another one.
func TestB3IsWritten(t *testing.T) {
	root := telemetry.Trace{TraceLow: 2, Span: 2, Parent: 2, SampledKnown: true, Sampled: true, Debug: true}
	h := header("x-b3-traceid", "1", "x-b3-spanid", "1", "x-b3-parentspanid", "7", "x-b3-sampled", "0", "x-b3-flags", "0")
	propagation.Zipkin().InjectSpan(context.Background(), root, propagation.Deadline{}, carrier(h))
	assert.Equal(t, header(
		"x-b3-traceid", "0000000000000002", "x-b3-spanid", "0000000000000002", "x-b3-sampled", "1", "x-b3-flags", strconv.FormatUint(root.Flags(), 10),
	), h)
	assert.NotZero(t, root.Flags()&1, "debug")
	child := root.Child()
	child.Span = 0x1f
	propagation.Zipkin().InjectSpan(context.Background(), child, propagation.Deadline{}, carrier(h))
	assert.Equal(t, []string{"000000000000001f", "0000000000000002"}, []string{h.Get("x-b3-spanid"), h.Get("x-b3-parentspanid")})
}

// TestRewrite: an application gets the trace in the forms in which it came, and Linkerd's
// is for the mesh.
func TestRewrite(t *testing.T) {
	tr := telemetry.Trace{TraceHigh: 1, TraceLow: 2, Span: 3, Parent: 4, SampledKnown: true, Forms: uint8(propagation.L5d | propagation.W3C)}
	h := http.Header{}
	propagation.Propagator{}.Rewrite(tr, carrier(h))
	assert.Equal(t, header("traceparent", "00-00000000000000010000000000000002-0000000000000003-00"), h)
	h = http.Header{}
	propagation.Zipkin().Rewrite(tr, carrier(h))
	assert.Empty(t, h, "a form that is not looked at")
}

func TestWhatIsWritten(t *testing.T) {
	tr := telemetry.Trace{TraceHigh: 1, TraceLow: 2, Span: 3, Parent: 4}
	all := func(p propagation.Propagator, tr telemetry.Trace) []string {
		h := http.Header{}
		p.InjectSpan(context.Background(), tr, propagation.Deadline{}, carrier(h))
		var keys []string
		for _, k := range []string{"L5d-Ctx-Trace", "L5d-Reqid", "Traceparent", "B3", "X-B3-Traceid"} {
			if v, ok := h[k]; ok {
				keys = append(keys, k+": "+v[0])
			}
		}
		return keys
	}
	l5d := []string{"L5d-Ctx-Trace: " + tr.EncodeString(), "L5d-Reqid: 0000000000000002"}
	assert.Equal(t, l5d, all(propagation.Propagator{}, tr), "Linkerd's alone")
	w := propagation.Propagator{Write: propagation.L5d | propagation.W3C | propagation.B3Single}
	b3 := "B3: 00000000000000010000000000000002-0000000000000003"
	assert.Equal(t, append(l5d[:2:2], b3), all(w, tr), "W3C cannot say that it is undecided")
	yes := tr
	yes.SampledKnown, yes.Sampled = true, true
	got := all(w, yes)
	assert.Equal(t, []string{
		"L5d-Ctx-Trace: " + yes.EncodeString(), "L5d-Reqid: 0000000000000002",
		"Traceparent: 00-00000000000000010000000000000002-0000000000000003-01", b3 + "-1-0000000000000004",
	}, got)
	yes.Sampled = false
	assert.Equal(t, b3+"-0-0000000000000004", all(w, yes)[3])
	yes.Debug = true
	assert.Equal(t, b3+"-d-0000000000000004", all(w, yes)[3])
	assert.Equal(t, []string{"X-B3-Traceid: 00000000000000010000000000000002"}, all(propagation.Zipkin(), yes))

	for name, form := range map[string]propagation.Forms{"l5d": propagation.L5d, "W3C": propagation.W3C, "b3single": propagation.B3Single, "b3": propagation.B3} {
		got, ok := propagation.ParseForm(name)
		assert.True(t, ok)
		assert.Equal(t, form, got)
	}
	_, ok := propagation.ParseForm("jaeger")
	assert.False(t, ok)
}

func TestFormsThatAreNotRead(t *testing.T) {
	in := "00-" + id128 + "-b7ad6b7169203331-01"
	h := header("traceparent", in, "tracestate", "a=b", "b3", "nonsense")
	got := took(t, propagation.Propagator{Read: propagation.L5d}, h)
	assert.False(t, got.HasParent())
	propagation.Propagator{Read: propagation.L5d}.InjectSpan(context.Background(), got, propagation.Deadline{}, carrier(h))
	assert.Equal(t, []string{in, "a=b", "nonsense"}, []string{h.Get("traceparent"), h.Get("tracestate"), h.Get("b3")})
	assert.NotEmpty(t, h.Get("l5d-ctx-trace"))
}

func TestTraceState(t *testing.T) {
	in := "00-" + id128 + "-b7ad6b7169203331-01"
	long := strings.Repeat("k=v,", 1200)
	for name, r := range map[string]struct {
		parent string
		state  []string
		kept   bool
	}{
		"usual":                {in, []string{"congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"}, true},
		"in parts":             {in, []string{"a=1", "b=2"}, true},
		"too long":             {in, []string{long}, false},
		"too long in parts":    {in, []string{long[:3000], long[:3000]}, false},
		"of an invalid parent": {"00-nonsense", []string{"a=1"}, false},
	} {
		h := header("traceparent", r.parent)
		h["Tracestate"] = r.state
		got := took(t, propagation.Propagator{}, h)
		propagation.Propagator{}.InjectSpan(context.Background(), got.Child(), propagation.Deadline{}, carrier(h))
		if r.kept {
			assert.Equal(t, r.state, h.Values("tracestate"), name)
		} else {
			assert.Empty(t, h.Values("tracestate"), name)
		}
		h.Del("l5d-ctx-trace")
		// In a process the context takes it along.
		carried := 0
		ctx := propagation.CarryOn(telemetry.WithTrace(t.Context(), got), h)
		for k := range propagation.Carried(ctx) {
			assert.Equal(t, "Tracestate", k)
			carried++
		}
		assert.Equal(t, map[bool]int{true: len(r.state)}[r.kept], carried, name)
	}
	ctx := propagation.CarryOn(telemetry.WithTrace(t.Context(), telemetry.NewTrace()), header("tracestate", "a=1"))
	for k := range propagation.Carried(ctx) {
		t.Error(k, "without a traceparent it belongs to nothing")
	}
}

// TestRestart: what outsiders say of traces ends here.
func TestRestart(t *testing.T) {
	h := header("traceparent", "00-"+id128+"-b7ad6b7169203331-01", "tracestate", "a=b", "b3", "1", "x-b3-sampled", "1")
	got := propagation.Propagator{}.Restart(carrier(h), nil)
	assert.NotEqual(t, uint64(0x8448eb211c80319c), got.TraceLow)
	_, decided := got.Decision()
	assert.False(t, decided)
	propagation.Propagator{}.InjectSpan(t.Context(), got.Child(), propagation.Deadline{}, carrier(h))
	assert.Contains(t, h.Get("traceparent"), got.ReqID())
	assert.Contains(t, h.Get("b3"), got.ReqID())
	assert.Contains(t, h.Get("x-b3-traceid"), got.ReqID())
	assert.NotContains(t, h, "Tracestate")
	assert.NotContains(t, h, "X-B3-Sampled")
}

// TestJoin: who records nothing does not come between those who do.
func TestJoin(t *testing.T) {
	in := "00-" + id128 + "-b7ad6b7169203331-01"
	p := propagation.Propagator{}
	for name, ts := range map[string]*telemetry.Tracers{"none": nil, "empty": telemetry.NewTracers(), "off": off()} {
		h := header("traceparent", in)
		server, _ := p.TakeTrace(t.Context(), carrier(h), ts)
		client := propagation.ClientTrace(telemetry.WithTrace(t.Context(), server), ts)
		p.InjectSpan(t.Context(), client, propagation.Deadline{}, carrier(h))
		assert.Equal(t, in, h.Get("traceparent"), name)

		// Of a trace of Linkerd's own, servers in the process are part as they are.
		l5d := telemetry.NewTrace().Sample(1)
		ctx, cancel, err := p.Extract(t.Context(), carrier(header("l5d-ctx-trace", l5d.EncodeString())), ts)
		require.NoError(t, err)
		defer cancel()
		joined, _ := telemetry.TraceFrom(ctx)
		assert.Equal(t, l5d.Span, joined.Span, name)
		assert.Equal(t, l5d.Span, propagation.ClientTrace(ctx, ts).Span, name)
		made := propagation.ClientTrace(ctx, recording())
		assert.Equal(t, l5d.Span, made.Parent, "a client that does record has a span of its own")
		assert.NotEqual(t, l5d.Span, made.Span)

		fresh, _ := p.TakeTrace(t.Context(), carrier(header("l5d-ctx-trace", l5d.EncodeString())), ts)
		assert.Equal(t, l5d.Span, fresh.Parent, "a proxy makes a new span, as in Linkerd")
	}
}

func off() *telemetry.Tracers {
	ts := telemetry.NewTracers(telemetry.Sampled{Tracer: telemetry.NewRecent(1), Rate: 1})
	ts.Switch().Store(false)
	return ts
}

// TestSampledOnce: where a request enters it is decided, and nowhere else.
func TestSampledOnce(t *testing.T) {
	rate := func(r float64) *telemetry.Tracers {
		return telemetry.NewTracers(telemetry.Sampled{Tracer: telemetry.NewRecent(1), Rate: r})
	}
	p := propagation.Propagator{}
	some := 0
	for range 1000 {
		h := http.Header{}
		first, _ := p.TakeTrace(t.Context(), carrier(h), rate(0.5))
		sampled, known := first.Decision()
		require.True(t, known)
		if sampled {
			some++
		}
		p.InjectSpan(t.Context(), first.Child(), propagation.Deadline{}, carrier(h))
		h.Set("l5d-sample", "1")
		for _, ts := range []*telemetry.Tracers{rate(0), rate(1), nil} {
			c := h.Clone()
			next, _ := p.TakeTrace(t.Context(), carrier(c), ts)
			got, known := next.Decision()
			require.True(t, known)
			require.Equal(t, sampled, got)
		}
	}
	assert.InDelta(t, 500, some, 100)
}

// TestNoHeadersAllocs: a request without trace headers pays nothing for the forms that
// might have come.
func TestNoHeadersAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	h := http.Header{"Accept": {"*/*"}, "User-Agent": {"x"}, "Host": {"y"}, "Via": {"z"}}
	ts := telemetry.NewTracers(telemetry.Sampled{Tracer: telemetry.NewRecent(1)})
	ctx := context.Background()
	var c propagation.Carrier = carrier(h)
	assert.Zero(t, testing.AllocsPerRun(100, func() { propagation.Propagator{}.TakeTrace(ctx, c, ts) }))
	h["Traceparent"] = []string{"00-" + id128 + "-b7ad6b7169203331-01"}
	h["B3"] = []string{id128 + "-b7ad6b7169203331-1"}
	h["X-B3-Spanid"] = []string{"1"}
	assert.Zero(t, testing.AllocsPerRun(100, func() { propagation.Propagator{}.TakeTrace(ctx, c, ts) }), "nor for those that do")
}

func BenchmarkTakeTrace(b *testing.B) {
	ctx := context.Background()
	for name, pairs := range map[string][]string{
		"none": nil,
		"l5d":  {"l5d-ctx-trace", telemetry.NewTrace().EncodeString()},
		"w3c":  {"traceparent", "00-" + id128 + "-b7ad6b7169203331-01"},
		"b3":   {"x-b3-traceid", id128, "x-b3-spanid", "b7ad6b7169203331", "x-b3-sampled", "1"},
	} {
		for read, p := range map[string]propagation.Propagator{"all": {}, "l5d only": {Read: propagation.L5d}} {
			b.Run(name+"/"+read, func(b *testing.B) {
				h := header(append([]string{"accept", "*/*", "user-agent", "x", "via", "z"}, pairs...)...)
				var c propagation.Carrier = carrier(h)
				b.ReportAllocs()
				for b.Loop() {
					p.TakeTrace(ctx, c, nil)
				}
			})
		}
	}
}

// FuzzForms: nothing panics, what is valid survives being written and read again, and
// what is not counts as absent.
func FuzzForms(f *testing.F) {
	f.Add("00-"+id128+"-b7ad6b7169203331-01", "a=b", id128+"-b7ad6b7169203331-1", id128, "b7ad6b7169203331", "1", "1", "AAAA")
	f.Add("ff", "", "0", "", "", "0", "", telemetry.NewTrace().EncodeString())
	f.Add("01-"+id128+"-b7ad6b7169203331-01-", "x", "d", "0", "0", "", "9", "")
	f.Fuzz(func(t *testing.T, parent, state, single, id, span, sampled, flags, l5d string) {
		h := http.Header{}
		for k, v := range map[string]string{
			"Traceparent": parent, "Tracestate": state, "B3": single, "X-B3-Traceid": id, "X-B3-Spanid": span,
			"X-B3-Sampled": sampled, "X-B3-Flags": flags, "L5d-Ctx-Trace": l5d,
		} {
			if v != "" {
				h[k] = []string{v}
			}
		}
		p := propagation.Propagator{}
		server := took(t, p, h)
		if server.TraceHigh|server.TraceLow == 0 {
			return // l5d-ctx-trace may say so
		}
		client := server.Child()
		p.InjectSpan(context.Background(), client, propagation.Deadline{}, carrier(h))
		for k, v := range h {
			if k != "Tracestate" {
				assert.LessOrEqual(t, len(v[0]), max(71, len(parent)), k)
			}
		}
		next := took(t, p, h)
		assert.Equal(t, []uint64{client.TraceHigh, client.TraceLow, client.Span}, []uint64{next.TraceHigh, next.TraceLow, next.Parent})
		a, knownA := client.Decision()
		b, knownB := next.Decision()
		assert.Equal(t, []bool{a, knownA}, []bool{b, knownB})
	})
}
