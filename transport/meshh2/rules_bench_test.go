package meshh2_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/transport/meshh2"
)

func usual() []string {
	return []string{
		":method", "POST", ":scheme", "http", ":authority", "users", ":path", "/users.Users/Get", "content-type", "application/grpc+proto",
		"te", "trailers", "user-agent", "grpc-go/1.85.0", "grpc-accept-encoding", "gzip", "x-request-id", "b0b6a1f4", "cookie", "a=1", "cookie", "b=2",
	}
}

// TestHotPathAllocations: what is allocated per request is what goes on the wire.
func TestHotPathAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations are counted without the race detector")
	}
	ctx, in, p := t.Context(), &meshh2.Inbound{}, propagation.Propagator{}
	name, id := dtab.MustPath("/svc/users"), dtab.MustPath("/#/io.l5d.fs/users")
	fields := head(usual()...).Fields
	r := &meshh2.Request{}
	r.Load(fields)
	r.Fields = append(r.Fields, r.Fields...)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		r.Load(fields)
		_ = r.Arrive(ctx, in, local, remote)
		r.Route(name)
	}), "arrive and route")
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		r.Load(fields)
		_ = r.Arrive(ctx, in, local, remote)
		r.Route(name)
		r.Depart(ctx, p, meshh2.Departure{Client: id, Residual: id, Trace: r.Trace.Child()})
	}), 2.0, "and depart: the texts of l5d-ctx-trace and l5d-reqid")

	resp, trailer := head(":status", "200", "content-type", "application/grpc"), head("grpc-status", "0")
	resp.Fields = append(make([]field, 0, 8), resp.Fields...)
	for _, c := range []meshh2.Classifier{meshh2.NonRetryable5XX{}, meshh2.All, meshh2.AllSuccessful{}, meshh2.GRPC{Kind: meshh2.GRPCCompliant}} {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			if _, ok := c.Early("POST", resp, nil); !ok && c.CanRetry("POST") {
				c.Late("POST", resp, trailer, nil)
			}
		}), "%T", c)
	}
	keep := len(resp.Fields)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		resp.Fields = resp.Fields[:keep]
		meshh2.AppendVia(resp)
		meshh2.SetSuccessClass(resp, 0)
		meshh2.ClearResponse(resp)
		_, _ = meshh2.ConnectionField(resp)
	}), "response")
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		_, _ = meshh2.ParseTimeout("1000000u")
		_ = meshh2.EncodeMessage("all is well", 100)
		_ = resp.Values("L5d-Ctx-Trace")
		_ = resp.Values("content-type")
	}), "fields")
}

func BenchmarkRequestRules(b *testing.B) {
	ctx, in, p := b.Context(), &meshh2.Inbound{}, propagation.Propagator{}
	name, id := dtab.MustPath("/svc/users"), dtab.MustPath("/#/io.l5d.fs/users")
	fields := head(usual()...).Fields
	r := &meshh2.Request{}
	b.ReportAllocs()
	for b.Loop() {
		r.Load(fields)
		_ = r.Arrive(ctx, in, local, remote)
		r.Route(name)
		r.Depart(ctx, p, meshh2.Departure{Client: id, Trace: r.Trace.Child()})
	}
}

func BenchmarkIdentify(b *testing.B) {
	h := head(usual()...)
	for name, id := range map[string]meshh2.Identifier{
		"token": meshh2.HeaderToken{Prefix: dtab.MustPath("/svc")}, "path": meshh2.HeaderPath{Prefix: dtab.MustPath("/svc"), Segments: 1},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = id.Identify(h)
			}
		})
	}
}

func BenchmarkClassify(b *testing.B) {
	resp, trailer := head(":status", "200", "content-type", "application/grpc"), head("grpc-status", "0")
	c := meshh2.Classifier(meshh2.GRPC{})
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := c.Early("POST", resp, nil); !ok {
			c.Late("POST", resp, trailer, nil)
		}
	}
}
