package meshh2_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport/meshh2"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

var (
	local  = &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 4142}
	remote = &net.TCPAddr{IP: net.IPv4(10, 0, 0, 9), Port: 5000}
)

func request(pairs ...string) *meshh2.Request {
	return &meshh2.Request{Head: *head(pairs...)}
}

func arrive(t *testing.T, in meshh2.Inbound, pairs ...string) *meshh2.Request {
	t.Helper()
	r := request(pairs...)
	require.NoError(t, r.Arrive(t.Context(), &in, local, remote))
	return r
}

func TestRequestOnItsWay(t *testing.T) {
	r := arrive(t, meshh2.Inbound{},
		":method", "GET", ":scheme", "http", ":authority", "web", ":path", "/a?b",
		"cookie", "a=1", "l5d-dst-service", "/made/up", "cookie", "b=2", "l5d-dst-client", "/made/up", "l5d-dst-residual", "/made/up",
		"l5d-reqid", "made up", "x-forwarded-client-cert", "Hash=made up", "via", "1.1 edge", "via", "1.1 inner", "x-forwarded-for", "1.2.3.4", "l5d-thing", "x", "te", "trailers")
	assert.Equal(t, "GET", r.Method)
	assert.False(t, r.GRPC)
	r.Route(dtab.MustPath("/svc/web"))
	trace := telemetry.Trace{TraceLow: 0xabc, Span: 1, Parent: 1}
	depart := func(to meshh2.Departure) []string {
		to.Trace = trace
		r.Depart(t.Context(), propagation.Propagator{}, to)
		return pairs(r.Fields)
	}
	shared := []string{
		":method", "GET", ":scheme", "http", ":authority", "web", ":path", "/a?b",
		"cookie", "a=1", "cookie", "b=2", "l5d-reqid", "0000000000000abc", "via", "1.1 edge, 1.1 inner, h2 linkerd",
		"x-forwarded-for", "1.2.3.4", "l5d-thing", "x", "te", "trailers", "l5d-dst-service", "/svc/web",
	}
	with := func(more ...string) []string {
		return append(append([]string{}, shared...), more...)
	}
	first := depart(meshh2.Departure{Client: dtab.MustPath("/#/fs/web"), Residual: dtab.MustPath("/rest"), Authority: "other:80"})
	assert.Equal(t, "other:80", r.Get(":authority"))
	first[5] = "web"
	assert.Equal(t, with("l5d-dst-client", "/#/fs/web", "l5d-dst-residual", "/rest", "l5d-ctx-trace", trace.EncodeString()), first)

	// Another attempt starts from the same.
	trace.Span = 2
	assert.Equal(t, with("l5d-ctx-trace", trace.EncodeString(), "l5d-dst-client", "/#/fs/api"), depart(meshh2.Departure{Client: dtab.MustPath("/#/fs/api")}))
}

func TestClientCertificate(t *testing.T) {
	id := dtab.MustPath("/#/fs/web")
	cert := &x509.Certificate{Raw: []byte("raw")}
	for name, row := range map[string]struct {
		conn *tls.ConnectionState
		want string
	}{
		"not forwarded":  {nil, ""},
		"no certificate": {&tls.ConnectionState{}, ""},
		"certificate":    {&tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}, meshhttp.DescribeCert(cert)},
	} {
		r := arrive(t, meshh2.Inbound{}, ":path", "/", "x-forwarded-client-cert", "made up", "x-forwarded-client-cert", "twice")
		r.Route(id)
		for range 2 {
			r.Depart(t.Context(), propagation.Propagator{}, meshh2.Departure{Client: id, ClientCert: row.conn})
			assert.Equal(t, row.want, strings.Join(r.Values("x-forwarded-client-cert"), "|"), name)
		}
	}
}

// V108, and the rules of routers §2.6 for context.
func TestContextHeaders(t *testing.T) {
	in := telemetry.Trace{TraceLow: 0xabc, Span: 2, Parent: 3, SampledKnown: true, Sampled: true}
	r := arrive(t, meshh2.Inbound{}, ":path", "/", "l5d-ctx-dtab", "/c=>/d", "l5d-dtab", "/foo=>/bar", "l5d-ctx-dtab", "/e=>/f",
		"l5d-ctx-trace", in.EncodeString(), "l5d-sample", "0", "l5d-ctx-deadline", "1 9000000000000000000", "l5d-ctx-thing", "x", "dtab-local", "/x=>/y")
	assert.Equal(t, []string{":path", "/", "l5d-ctx-thing", "x", "dtab-local", "/x=>/y"}, pairs(r.Fields))
	assert.Equal(t, "/c=>/d;/e=>/f;/foo=>/bar", r.Local.String())
	assert.Equal(t, in.Span, r.Trace.Parent)
	assert.True(t, r.Trace.Sampled, "what is decided stays decided")
	assert.Equal(t, "1 9000000000000000000", r.Deadline.String())
	assert.True(t, r.End.IsZero())

	r.Route(dtab.MustPath("/svc/web"))
	ctx := weft.AddDtab(t.Context(), r.Local)
	at := time.Unix(0, 8000000000000000000)
	r.Depart(ctx, propagation.Propagator{}, meshh2.Departure{Trace: r.Trace.Child(), Deadline: propagation.Deadline{Timestamp: at, At: at}})
	assert.Equal(t, "/c=>/d;/e=>/f;/foo=>/bar", r.Get("l5d-ctx-dtab"))
	assert.Equal(t, "8000000000000000000 8000000000000000000", r.Get("l5d-ctx-deadline"))
	assert.Equal(t, "0000000000000abc", r.Get("l5d-reqid"))
	assert.Empty(t, r.Get("l5d-dtab"))
	out, err := telemetry.ParseTrace(r.Get("l5d-ctx-trace"))
	require.NoError(t, err)
	assert.Equal(t, r.Trace.Span, out.Parent)
}

func TestZipkinHeadersInRetries(t *testing.T) {
	b3 := propagation.Zipkin()
	r := arrive(t, meshh2.Inbound{Propagation: b3}, ":path", "/", "x-b3-parentspanid", "3f", "x-b3-spanid", "2f", "last", "x")
	r.Route(dtab.MustPath("/svc/web"))
	for range 3 {
		r.Depart(t.Context(), b3, meshh2.Departure{Client: dtab.MustPath("/#/a"), Trace: telemetry.Trace{TraceLow: 1, Span: 5, Parent: 5}})
		assert.ElementsMatch(t, []string{":path", "x-b3-spanid", "last", "via", "l5d-dst-service", "l5d-dst-client", "x-b3-traceid", "x-b3-flags"}, names(r.Fields))
	}
	assert.Equal(t, "0000000000000005", r.Get("x-b3-spanid"))
}

func TestBadDtab(t *testing.T) {
	r := request(":path", "/", "l5d-dtab", "i am not a dtab", "via", "a, b, c, d")
	err := r.Arrive(t.Context(), &meshh2.Inbound{MaxCallDepth: 1}, local, remote)
	var syntax *dtab.SyntaxError
	require.ErrorAs(t, err, &syntax)
	var e *weft.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, weft.StageIdentify, e.Stage)
}

func TestCallDepth(t *testing.T) {
	for _, row := range []struct {
		id  string
		max int
		via []string
		ok  bool
	}{
		{"V115", 2, []string{"hop1, hop2, hop3"}, false},
		{"as many as allowed", 3, []string{"hop1, hop2, hop3"}, true},
		{"over several fields", 2, []string{"hop1", "hop2, hop3"}, false},
		{"none", 1, nil, true},
		{"empty", 1, []string{"", ""}, true},
		{"usual limit", 0, []string{strings.Repeat("hop,", 999) + "hop"}, true},
		{"beyond it", 0, []string{strings.Repeat("hop,", 1000) + "hop"}, false},
	} {
		r := request(":path", "/")
		for _, v := range row.via {
			r.Add("via", v)
		}
		err := r.Arrive(t.Context(), &meshh2.Inbound{MaxCallDepth: row.max}, local, remote)
		if row.ok {
			assert.NoError(t, err, row.id)
			continue
		}
		var deep *meshh2.CallDepthError
		require.ErrorAs(t, err, &deep, row.id)
		if row.max > 0 {
			assert.Equal(t, "Maximum number of calls ("+strconv.Itoa(row.max)+") has been exceeded. Please check for proxy loops.", deep.Error())
		}
	}
}

func TestForwarded(t *testing.T) {
	static := &meshhttp.Forwarded{By: meshhttp.StaticLabel("linkerd"), For: meshhttp.StaticLabel("client")}
	r := arrive(t, meshh2.Inbound{Forwarded: static}, ":scheme", "http", ":authority", "svc/name", ":path", "/")
	assert.Equal(t, "by=_linkerd;for=_client;authority=svc/name;proto=http", r.Get("forwarded"), "V127")
	ip := &meshhttp.Forwarded{By: meshhttp.IP{}, For: meshhttp.IP{Port: true}}
	r = arrive(t, meshh2.Inbound{Forwarded: ip}, ":path", "/", "forwarded", "for=before")
	assert.Equal(t, []string{"for=before", `by=10.0.0.1;for="10.0.0.9:5000"`}, r.Values("forwarded"), "another one")
	r = arrive(t, meshh2.Inbound{Forwarded: &meshhttp.Forwarded{}}, ":path", "/")
	assert.Regexp(t, `^by=_\w{6};for=_\w{6}$`, r.Get("forwarded"))
	ctx := meshhttp.WithConnLabel(t.Context(), nil)
	perConn := &meshhttp.Forwarded{By: meshhttp.ConnectionRandom{}, For: meshhttp.ConnectionRandom{}}
	var seen []string
	for range 2 {
		r := request(":path", "/")
		require.NoError(t, r.Arrive(ctx, &meshh2.Inbound{Forwarded: perConn}, nil, nil))
		seen = append(seen, r.Get("forwarded"))
	}
	assert.Equal(t, seen[0], seen[1])
	assert.Empty(t, arrive(t, meshh2.Inbound{}, ":path", "/").Get("forwarded"), "only if asked for")
}

func TestAbsolutePath(t *testing.T) {
	for in, want := range map[string][2]string{
		"/plain?x":                  {"web", "/plain?x"},
		"*":                         {"web", "*"},
		"":                          {"web", ""},
		"http://other:80/a%2Fb?c=d": {"other:80", "/a%2Fb?c=d"},
		"https://other":             {"other", "/"},
		"http://other?x=/y":         {"other", "/?x=/y"},
		"http://u:p@other/a":        {"other", "/a"},
		"http:///a":                 {"web", "http:///a"},
		"://other/a":                {"web", "://other/a"},
		"/redirect?to=http://x/y":   {"web", "/redirect?to=http://x/y"},
		"x?to=http://x/y":           {"web", "x?to=http://x/y"},
	} {
		r := arrive(t, meshh2.Inbound{}, ":method", "GET", ":authority", "web", ":path", in)
		assert.Equal(t, want, [2]string{r.Get(":authority"), r.Get(":path")}, in)
	}
	r := arrive(t, meshh2.Inbound{}, ":method", "GET", ":path", "http://other/a", "x", "y")
	assert.Equal(t, []string{":method", "GET", ":path", "/a", ":authority", "other", "x", "y"}, pairs(r.Fields))
}

func TestClearContext(t *testing.T) {
	r := arrive(t, meshh2.Inbound{ClearContext: true}, ":path", "/", "l5d-name", "/x", "l5d-dtab", "not a dtab", "l5d-ctx-deadline", "1 2",
		"l5d-ctx-trace", telemetry.NewTrace().EncodeString(), "L5D-x", "core sends lower case only", "dtab-local", "x", "x-b3-spanid", "1", "x-forwarded-for", "y")
	assert.Equal(t, []string{":path", "dtab-local", "x-b3-spanid", "x-forwarded-for"}, without(names(r.Fields), "L5D-x"))
	assert.True(t, r.Deadline.IsZero())
	assert.Empty(t, r.Local)
	assert.False(t, r.Trace.HasParent())

	resp := head(":status", "200", "l5d-success-class", "1.0", "x", "y", "content-length", "3")
	assert.False(t, meshh2.ClearResponse(resp))
	assert.Equal(t, []string{":status", "200", "x", "y", "content-length", "3"}, pairs(resp.Fields))

	resp = head(":status", "502", "l5d-err", "boo", "content-type", "text/plain", "content-length", "3", "x", "y")
	assert.True(t, meshh2.ClearResponse(resp))
	assert.Equal(t, []string{":status", "502", "x", "y"}, pairs(resp.Fields))

	resp = head(":status", "200", "content-type", "application/grpc", "grpc-status", "14", "grpc-message", "boo", "l5d-err", "boo")
	assert.True(t, meshh2.ClearResponse(resp))
	assert.Equal(t, []string{":status", "200", "content-type", "application/grpc", "grpc-status", "14"}, pairs(resp.Fields), "what a gRPC caller cannot do without")

	trailer := head("grpc-status", "0", "grpc-message", "fine", "l5d-success-class", "1.0")
	meshh2.ClearTrailer(trailer)
	assert.Equal(t, []string{"grpc-status", "0", "grpc-message", "fine"}, pairs(trailer.Fields))
	trailer = head("grpc-status", "14", "grpc-message", "boo", "l5d-err", "boo")
	meshh2.ClearTrailer(trailer)
	assert.Equal(t, []string{"grpc-status", "14"}, pairs(trailer.Fields))
}

func TestGRPCTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		grpc := func(timeout string, more ...string) *meshh2.Request {
			r := arrive(t, meshh2.Inbound{}, append([]string{":method", "POST", ":path", "/a/b", "content-type", "application/grpc+proto", "grpc-timeout", timeout}, more...)...)
			assert.True(t, r.GRPC)
			return r
		}
		r := grpc("2S")
		assert.Equal(t, start.Add(2*time.Second), r.End)
		assert.Equal(t, propagation.Deadline{Timestamp: start, At: r.End}, r.Deadline)
		r.Route(dtab.MustPath("/svc/a"))
		for range 2 {
			time.Sleep(500 * time.Millisecond)
			r.Depart(t.Context(), propagation.Propagator{}, meshh2.Departure{})
		}
		assert.Equal(t, []string{"1000000u"}, r.Values("grpc-timeout"), "what is left")
		assert.Equal(t, []string{propagation.Deadline{Timestamp: start, At: start.Add(2 * time.Second)}.String()}, r.Values("l5d-ctx-deadline"))
		time.Sleep(time.Minute)
		r.Depart(t.Context(), propagation.Propagator{}, meshh2.Departure{})
		assert.Equal(t, "0n", r.Get("grpc-timeout"))

		// The earlier of two.
		start = time.Now()
		early := propagation.Deadline{Timestamp: start, At: start.Add(time.Second)}
		r = grpc("2S", "l5d-ctx-deadline", early.String())
		assert.True(t, early.At.Equal(r.Deadline.At))
		assert.Equal(t, start.Add(2*time.Second), r.End, "the call itself may take as long as its caller said")

		for _, in := range []string{"x", "", "99999999H", "123456789S"} {
			r = grpc(in)
			assert.True(t, r.End.IsZero(), in)
			assert.True(t, r.Deadline.IsZero(), in)
			r.Route(dtab.MustPath("/svc/a"))
			r.Depart(t.Context(), propagation.Propagator{}, meshh2.Departure{})
			assert.Equal(t, in, r.Get("grpc-timeout"), "as it was")
		}
		r = arrive(t, meshh2.Inbound{}, ":path", "/", "grpc-timeout", "1S")
		assert.True(t, r.End.IsZero(), "means nothing without gRPC")
	})
}

func TestIsGRPC(t *testing.T) {
	for in, want := range map[string]bool{
		"application/grpc": true, "application/grpc+proto": true, "application/grpc;x=y": true, "application/grpc-web": false,
		"application/grpc-web+proto": false, "application/json": false, "": false, "application/grpcx": false,
	} {
		assert.Equal(t, want, meshh2.IsGRPC(head("content-type", in)), in)
	}
	assert.False(t, meshh2.IsGRPC(head()))
}

func TestConnectionFields(t *testing.T) {
	for _, row := range []struct {
		id, name, value string
		bad             bool
	}{
		{"V109", "connection", "close", true},
		{"V110", "te", "trailers", false},
		{"V110", "te", "chunked, trailers", true},
		{"", "keep-alive", "timeout=1", true},
		{"", "proxy-authenticate", "x", true},
		{"", "proxy-connection", "close", true},
		{"", "trailer", "x", true},
		{"", "transfer-encoding", "chunked", true},
		{"", "upgrade", "h2c", true},
		{"", "proxy-authorization", "x", false},
		{"", "content-type", "x", false},
	} {
		name, bad := meshh2.ConnectionField(head(":path", "/", row.name, row.value))
		assert.Equal(t, row.bad, bad, row.name)
		if bad {
			assert.Equal(t, row.name, name)
		}
	}
}

func TestVia(t *testing.T) {
	for _, row := range [][2][]string{
		{{":status", "200"}, {":status", "200", "via", "h2 linkerd"}},
		{{"via", "a", "x", "y"}, {"via", "a, h2 linkerd", "x", "y"}},
		{{"via", "a", "x", "y", "via", "b, c", "via", "d"}, {"via", "a, b, c, d, h2 linkerd", "x", "y"}},
	} {
		h := head(row[0]...)
		meshh2.AppendVia(h)
		assert.Equal(t, row[1], pairs(h.Fields))
	}
}

func TestSuccessClass(t *testing.T) {
	for class, want := range map[weft.Class]string{weft.Success: "1.0", weft.Failure: "0.0", weft.Retryable: "0.0", weft.Ignored: "0.0"} {
		h := head(":status", "200", "l5d-success-class", "0.3", "l5d-success-class", "0.2")
		meshh2.SetSuccessClass(h, class)
		assert.Equal(t, []string{":status", "200", "l5d-success-class", want}, pairs(h.Fields))
		f := meshh2.SuccessClass(class)
		assert.Equal(t, "l5d-success-class", f.Name)
		assert.Equal(t, want, f.Value)
	}
}
