package meshh2_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshh2"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// parked returns how many goroutines wait for the naming.
func parked() int {
	synctest.Wait()
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "meshh2.(*attempt).awaitRoute.func1(")
}

// Nothing waits for a name when the caller has left.
func TestLeavingEndsTheWaitForANaming(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		c := w.caller()
		c.request(1, true, "GET", "pending")
		require.Empty(t, c.got())
		require.Equal(t, 1, parked())
		c.reset(1, xhttp2.ErrCodeCancel)
		assert.Equal(t, 0, parked())
	})
}

// No connection is made for a caller who has left.
func TestLeavingEndsTheWaitForAConnection(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog", xhttp2.Setting{ID: xhttp2.SettingMaxConcurrentStreams, Val: 1})
		c := w.caller()
		id := uint32(1)
		for before := -1; ds.connections() > before; id += 2 {
			before = ds.connections()
			c.request(id, true, "GET", "dog")
			c.got()
		}
		made := ds.connections()
		require.Greater(t, made, 1)
		for _, p := range ds.peers {
			p.respond(1, false, "200") // there is no retry then
		}
		c.got()
		c.reset(id-2, xhttp2.ErrCodeCancel) // that one waits
		synctest.Wait()
		for _, p := range ds.peers {
			p.close()
		}
		time.Sleep(time.Minute)
		assert.Equal(t, made, ds.connections())
	})
}

// What a caller sends to no purpose does not fill its windows: it may not be able to
// read the answer before it has sent everything.
func TestUnwantedRequestDataIsTaken(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		c := w.caller(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 0})
		c.request(1, false, "POST", "neg")
		assert.Equal(t, []string{"HEADERS 1 :status=502"}, c.got(), "and the body waits for a window")
		const piece = 16000
		for range 4 {
			c.data(1, false, strings.Repeat("x", piece))
		}
		assert.GreaterOrEqual(t, c.given(1), 3*piece)
		c.data(1, true, "x")
		c.window(1, 1000)
		assert.Contains(t, strings.Join(c.got(), " "), " end")
		assert.Equal(t, 0, w.server("open_streams"))
	})
}

// whatever takes everything for a success.
type whatever struct{}

func (whatever) CanRetry(string) bool { return false }
func (whatever) Early(_ string, _ *meshh2.Head, err error) (weft.Class, bool) {
	return weft.Success, err != nil
}

func (whatever) Late(string, *meshh2.Head, *meshh2.Head, error) weft.Class { return weft.Success }

// A response that was cut off is no success, whatever its classifier says.
func TestCutResponsesAreFailures(t *testing.T) {
	for name, cl := range map[string]meshh2.Classifier{"late": whatever{}, "early": meshh2.GRPC{}} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, setup{service: services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: cl})}, func(w *world) {
				ds := w.raw("dog")
				c := w.caller()
				c.request(1, true, "POST", "dog")
				ds.peer().respond(1, false, "200", "grpc-status", "0")
				ds.peer().data(1, false, "wo")
				c.got()
				ds.peer().reset(1, xhttp2.ErrCodeInternal)
				assert.Equal(t, []string{"RST 1 INTERNAL_ERROR"}, c.got())
				for scope, count := range map[string]func(...string) int{
					"server": w.server, "service": func(e ...string) int { return w.service("dog", e...) }, "client": func(e ...string) int { return w.client("dog", e...) },
				} {
					assert.Equal(t, 1, count("failures"), scope)
					assert.Equal(t, 0, count("success"), scope)
				}
			})
		})
	}
}

// Exchanges are used again. Events for one that has ended may still be on their way
// then: they change nothing.
func TestEventsOfEndedStreams(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog")
		l, err := w.net.Listen("10.9.9.9:1")
		require.NoError(t, err)
		accepted := make(chan *http2.Stream, 1)
		receivers := make(chan http2.Receiver, 1)
		handler := meshh2.NewHandler(meshh2.ServerOptions{Relay: w.relay})
		srv := http2.NewServer(http2.ServerOptions{Accept: func(c *http2.Conn) http2.Accept {
			accept := handler.Accept(c)
			return func(s *http2.Stream, fields []hpack.HeaderField, end bool) http2.Receiver {
				r := accept(s, fields, end)
				accepted <- s
				receivers <- r
				return r
			}
		}})
		go func() { _ = srv.Serve(l) }()
		w.t.Cleanup(func() { _ = srv.Close() })
		nc, err := w.net.Dial(w.t.Context(), "10.9.9.9:1")
		require.NoError(t, err)
		c := newRawPeer(t, nc, true)
		w.peers = append(w.peers, c)

		last := map[http2.Receiver][2]*http2.Stream{}
		reused := 0
		for id := uint32(1); reused < 3; id += 2 {
			require.Less(t, id, uint32(1000), "nothing is used again")
			c.request(id, false, "POST", "dog")
			in, r := <-accepted, <-receivers
			assert.Equal(t, []string{fmt.Sprintf("HEADERS %d :path=/", id)}, ds.peer().got())
			attempt, out := meshh2.FirstAttempt(r)
			if old, ok := last[r]; ok {
				reused++
				failure, head := errors.New("late"), []hpack.HeaderField{{Name: ":status", Value: "500"}}
				attempt.Head(old[1], head, false)
				attempt.Data(old[1], []byte("late"), true)
				attempt.Trailer(old[1], nil)
				attempt.Reset(old[1], failure)
				r.Data(old[0], []byte("late"), true)
				r.Trailer(old[0], nil)
				r.Reset(old[0], failure)
			}
			c.data(id, true, "x")
			assert.Equal(t, []string{fmt.Sprintf(`DATA %d "x" end`, id)}, ds.peer().got())
			ds.peer().respond(id, true, "200")
			assert.Equal(t, []string{fmt.Sprintf("HEADERS %d :status=200 l5d-success-class=1.0 end", id)}, c.got())
			last[r] = [2]*http2.Stream{in, out}
		}
	})
}

// Who the caller is says the proxy; what the caller says of itself is removed.
func TestForwardClientCert(t *testing.T) {
	for _, row := range []struct {
		name             string
		forward, present bool
	}{{"certificate", true, true}, {"anonymous", true, false}, {"not forwarded", false, true}} {
		t.Run(row.name, func(t *testing.T) {
			s := setup{client: clients(transport.ClientOptions{}, meshh2.ClientSettings{ForwardClientCert: row.forward})}
			inWorld(t, s, func(w *world) {
				w.serve("dog", func(rw http.ResponseWriter, r *http.Request) {
					_, _ = io.WriteString(rw, strings.Join(r.Header.Values("X-Forwarded-Client-Cert"), "|"))
				})
				ca := testcert.New(t, "mesh", nil)
				cfg := ca.Issue(t, "proxy", "proxy.test").Config(t)
				cfg.NextProtos, cfg.ClientCAs, cfg.ClientAuth = []string{"h2"}, ca.Pool(), tls.VerifyClientCertIfGiven
				l, err := w.net.Listen("10.9.9.9:443")
				require.NoError(t, err)
				srv := http2.NewServer(http2.ServerOptions{Accept: meshh2.NewHandler(meshh2.ServerOptions{Relay: w.relay}).Accept})
				go func() { _ = srv.Serve(http2.NewTLSListener(l, cfg)) }()
				w.t.Cleanup(func() { _ = srv.Close() })

				own := &tls.Config{}
				want := ""
				if row.present {
					own = ca.Issue(t, "cat").Config(t)
					leaf, err := x509.ParseCertificate(own.Certificates[0].Certificate[0])
					require.NoError(t, err)
					if row.forward {
						want = meshhttp.DescribeCert(leaf)
					}
				}
				own.RootCAs, own.ServerName = ca.Pool(), "proxy.test"
				tr := &http.Transport{TLSClientConfig: own, ForceAttemptHTTP2: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return w.net.Dial(ctx, "10.9.9.9:443")
				}}
				w.t.Cleanup(tr.CloseIdleConnections)
				req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "https://dog/", nil)
				require.NoError(t, err)
				req.Header["X-Forwarded-Client-Cert"] = []string{"Hash=made", "Hash=up"}
				resp, err := (&http.Client{Transport: tr}).Do(req)
				require.NoError(t, err)
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				assert.Equal(t, want, string(body))
				if row.forward && row.present {
					assert.Contains(t, string(body), "Hash=")
				}
			})
		})
	}
}
