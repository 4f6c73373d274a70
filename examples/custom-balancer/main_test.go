package main

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, `in process, one after the other: 10 near, 0 far
in process, 9 at once: 6 near, 3 far
proxy, one after the other: 10 near, 0 far
proxy, 9 at once: 6 near, 3 far
`, out.String())
}

// A policy is tested without a network: a Balancer is all that it needs.
func TestZoneFirst(t *testing.T) {
	newBalancer := func(zones ...string) *balancer.Balancer {
		b := balancer.New(balancer.Options{Policy: zoneFirst{Zone: "a"}})
		t.Cleanup(b.Close)
		var set weft.EndpointSet
		for i, z := range zones {
			set.Endpoints = append(set.Endpoints, weft.Endpoint{
				Addr: fmt.Sprintf("10.0.0.%d:80", i+1), Meta: map[string]string{"zone": z},
			})
		}
		b.Update(set)
		return b
	}
	pick := func(b *balancer.Balancer, c weft.Call) string {
		p, err := b.Pick(context.Background(), c)
		require.NoError(t, err)
		return p.Endpoint.Info().Meta["zone"] // not done: it stays outstanding
	}

	t.Run("a zone alone", func(t *testing.T) {
		for _, zone := range []string{"a", "b"} {
			b := newBalancer(zone, zone)
			for range 10 {
				assert.Equal(t, zone, pick(b, weft.Call{}))
			}
		}
	})
	t.Run("load", func(t *testing.T) {
		b := newBalancer("a", "b")
		var got string
		for range 9 {
			got += pick(b, weft.Call{})
		}
		assert.Equal(t, "aabaabaab", got)
	})
	t.Run("health", func(t *testing.T) {
		for i, healthy := range []string{"b", "a"} {
			b := newBalancer("a", "b")
			b.Endpoints()[i].SetStatus(weft.Busy)
			for range 10 {
				assert.Equal(t, healthy, pick(b, weft.Call{}))
			}
		}
	})
	t.Run("a retry", func(t *testing.T) {
		failed := weft.Call{Avoid: "10.0.0.1:80"}
		assert.Equal(t, "b", pick(newBalancer("a", "b"), failed))
		assert.Equal(t, "a", pick(newBalancer("a", "a", "b"), failed), "the other one that is near")
	})
}
