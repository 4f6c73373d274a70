package naming_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

func TestCatalogNamesServicesByTheirFirstElement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		changes := make(chan weft.EndpointSet)
		var watches atomic.Int64
		c := naming.NewCatalog(dtab.MustPath("/#/cat"), naming.WatchFunc[string, weft.EndpointSet](
			func(ctx context.Context, service string, set func(naming.State[weft.EndpointSet])) error {
				watches.Add(1)
				set(naming.Ok(weft.EndpointSet{Neg: service != "users"}))
				changes := changes
				if service != "users" {
					changes = nil
				}
				for {
					select {
					case eps := <-changes:
						set(naming.Ok(eps))
					case <-ctx.Done():
						return nil
					}
				}
			}), naming.SharedOptions{})
		defer c.Close()
		in := naming.NewInterpreter(naming.Options{
			Namers: naming.Under(c),
			Base:   dtab.MustParse("/svc => /#/cat"),
		})
		defer in.Close()
		assert.Equal(t, "/svc=>/#/cat", in.Base().String())

		users := in.Bind(t.Context(), nil, dtab.MustPath("/svc/users/v1"))
		nobody := in.Bind(t.Context(), nil, dtab.MustPath("/svc/nobody"))
		bare := in.Bind(t.Context(), nil, dtab.MustPath("/#/cat"))
		time.Sleep(10 * time.Millisecond) // the settle time
		st, _ := users.Load()
		require.True(t, st.Known)
		b := st.Value.Value
		assert.Equal(t, "/#/cat/users", b.ID.String())
		assert.Equal(t, "/v1", b.Residual.String())
		for _, s := range []weft.Source[naming.State[dtab.Tree[*naming.Bound]]]{nobody, bare} {
			st, _ := s.Load()
			assert.True(t, st.Known)
			assert.Equal(t, dtab.Neg, st.Value.Op)
		}

		addrs := b.Addrs(t.Context())
		changes <- weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "10.0.0.1:80"}}}
		time.Sleep(10 * time.Millisecond) // the settle time
		got, _ := addrs.Load()
		assert.Len(t, got.Value.Endpoints, 1)
		assert.Equal(t, int64(2), watches.Load(), "one watch per service, however many look")
	})
}
