package transport_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/transport"
)

// TestANameThatCannotBeAskedForIsWaitedFor: a registry that is away at start is as good
// as one that has not answered; the request that has waited for the whole binding
// timeout is told why, and those after it are not made to wait again.
func TestANameThatCannotBeAskedForIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type report = naming.State[weft.EndpointSet]
		reports := map[string]chan report{"web": make(chan report), "other": make(chan report)}
		names := naming.NewCatalog(dtab.MustPath("/#/reg"), naming.WatchFunc[string, weft.EndpointSet](
			func(ctx context.Context, name string, set func(report)) error {
				set(naming.Failed[weft.EndpointSet](errors.New("registry: connection refused")))
				for {
					select {
					case r := <-reports[name]:
						set(r)
					case <-ctx.Done():
						return nil
					}
				}
			}), naming.SharedOptions{Linger: -1})
		defer names.Close()
		interp := naming.NewInterpreter(naming.Options{Base: dtab.MustParse("/svc=>/#/reg"), Namers: naming.Under(names)})
		defer interp.Close()
		router, err := transport.NewRouter(transport.Options{Interpreter: interp, BindingTimeout: 10 * time.Second})
		require.NoError(t, err)
		defer router.Close()
		route := func(name string) (time.Duration, error) {
			d := router.Dest(dtab.MustPath(name), nil)
			defer d.Release()
			began := time.Now()
			_, err := d.Route(t.Context())
			return time.Since(began), err
		}

		took, err := route("/svc/web")
		require.Equal(t, 10*time.Second, took)
		require.ErrorContains(t, err, "Exceeded 10.seconds binding timeout while resolving name: /svc/web: registry: connection refused")
		took, err = route("/svc/web")
		assert.Zero(t, took, "one has waited long enough for all")
		require.ErrorContains(t, err, "registry: connection refused")

		reports["web"] <- naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "10.0.0.1:80"}}})
		synctest.Wait()
		_, err = route("/svc/web")
		require.NoError(t, err, "it is back")

		// A second name meets the registry on its way up.
		done := make(chan error, 1)
		go func() {
			_, err := route("/svc/other")
			done <- err
		}()
		time.Sleep(3 * time.Second)
		reports["other"] <- naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "10.0.0.2:80"}}})
		require.NoError(t, <-done, "a request that has waited is served")
	})
}

// TestAnAnswerThatIsAnErrorIsNotWaitedFor: there is nothing to wait for.
func TestAnAnswerThatIsAnErrorIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := naming.NewCatalog(dtab.MustPath("/#/reg"), naming.WatchFunc[string, weft.EndpointSet](
			func(ctx context.Context, _ string, set func(naming.State[weft.EndpointSet])) error {
				set(naming.Failed[weft.EndpointSet](&naming.AnswerError{Err: errors.New("no such namespace")}))
				<-ctx.Done()
				return nil
			}), naming.SharedOptions{Linger: -1})
		defer names.Close()
		interp := naming.NewInterpreter(naming.Options{Base: dtab.MustParse("/svc=>/#/reg"), Namers: naming.Under(names)})
		defer interp.Close()
		router, err := transport.NewRouter(transport.Options{Interpreter: interp})
		require.NoError(t, err)
		defer router.Close()
		d := router.Dest(dtab.MustPath("/svc/web"), nil)
		defer d.Release()
		began := time.Now()
		_, err = d.Route(t.Context())
		require.ErrorContains(t, err, "no such namespace")
		assert.Less(t, time.Since(began), time.Second)
	})
}
