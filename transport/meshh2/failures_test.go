package meshh2_test

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	xhttp2 "golang.org/x/net/http2"

	"github.com/weft-mesh/weft/circuit"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// endOf is what a caller sees at the end: "502", "RST CANCEL", "grpc 14".
func endOf(p *rawPeer) string {
	events := p.got()
	if len(events) == 0 {
		return ""
	}
	if last := events[len(events)-1]; strings.HasPrefix(last, "RST") && !strings.HasSuffix(last, "NO_ERROR") {
		return "RST" + last[strings.LastIndexByte(last, ' '):]
	}
	head := p.head()
	if s, ok := head["grpc-status"]; ok {
		return "grpc " + s
	}
	return head[":status"]
}

// Every row of routers §3.4, for plain and for gRPC callers.
func TestErrorTable(t *testing.T) {
	rows := []struct {
		name        string
		setup       setup
		authority   string // "": dog, which is played by the test
		fields      []string
		play        func(w *world, ds *rawEndpoint)
		plain, grpc string
		beganGRPC   bool
	}{
		{name: "bad dtab", fields: []string{"l5d-dtab", "i am not a dtab"}, plain: "400", grpc: "grpc 3"},
		{name: "unidentified", setup: setup{mesh: meshh2.Options{Identifier: meshh2.HeaderToken{Header: "x"}}}, plain: "RST REFUSED_STREAM", grpc: "grpc 3"},
		{name: "call depth", setup: setup{server: meshh2.ServerOptions{MaxCallDepth: 1}}, fields: []string{"via", "a, b"}, plain: "400", grpc: "grpc 9"},
		{name: "negative", authority: "neg", plain: "502", grpc: "grpc 14"},
		{name: "no connection", authority: "nobody", plain: "502", grpc: "grpc 14"},
		{name: "binding timeout", authority: "pending", play: func(*world, *rawEndpoint) { time.Sleep(10 * time.Second) }, plain: "RST INTERNAL_ERROR", grpc: "grpc 14"},
		{name: "listener timeout", setup: setup{server: meshh2.ServerOptions{Timeout: time.Second}}, play: wait(time.Second), plain: "RST INTERNAL_ERROR", grpc: "grpc 4"},
		{
			name: "total timeout", setup: setup{service: services(transport.ServiceOptions{TotalTimeout: time.Second}, meshh2.ServiceSettings{})},
			play: wait(time.Second), plain: "RST INTERNAL_ERROR", grpc: "grpc 4",
		},
		{
			name: "attempt timeout", setup: setup{client: clients(transport.ClientOptions{AttemptTimeout: time.Second}, meshh2.ClientSettings{})},
			play: wait(time.Second), plain: "RST INTERNAL_ERROR", grpc: "grpc 4",
		},
		{name: "connection lost", play: func(_ *world, ds *rawEndpoint) { ds.peer().close() }, plain: "RST INTERNAL_ERROR", grpc: "grpc 14"},
		{name: "connection lost after the head", play: func(_ *world, ds *rawEndpoint) {
			ds.peer().respond(1, false, "200")
			ds.peer().data(1, false, "x")
			ds.peer().got()
			ds.peer().close()
		}, plain: "RST INTERNAL_ERROR", grpc: "grpc 14"},
		{name: "reset", play: resets(xhttp2.ErrCodeStreamClosed), plain: "RST STREAM_CLOSED", grpc: "RST STREAM_CLOSED"},
		{name: "reset with NO_ERROR", play: resets(xhttp2.ErrCodeNo), plain: "RST NO_ERROR", grpc: "RST NO_ERROR"},
		{name: "malformed response", play: func(_ *world, ds *rawEndpoint) { ds.peer().respond(1, true, "abc") }, plain: "RST PROTOCOL_ERROR", grpc: "grpc 13"},
	}
	for _, row := range rows {
		for _, grpc := range []bool{false, true} {
			t.Run(row.name+" grpc "+strconv.FormatBool(grpc), func(t *testing.T) {
				inWorld(t, row.setup, func(w *world) {
					w.put("nobody", "10.7.7.7:80")
					ds := w.raw("dog")
					authority := row.authority
					if authority == "" {
						authority = "dog"
					}
					fields, want := row.fields, row.plain
					if grpc {
						fields, want = append([]string{"content-type", "application/grpc"}, fields...), row.grpc
					}
					c := w.caller()
					c.request(1, true, "POST", authority, fields...)
					if row.play != nil {
						row.play(w, ds)
					}
					got := endOf(c)
					if strings.HasSuffix(want, "NO_ERROR") {
						got = "RST NO_ERROR" // endOf takes it for the end of something else
					}
					assert.Equal(t, want, got)
					assert.Equal(t, 1, w.server("failures"))
					assert.Equal(t, 0, w.server("pending"))
					assert.Equal(t, 0, w.server("open_streams"))
					if head := c.head(); head[":status"] == "502" || head[":status"] == "400" {
						assert.NotEmpty(t, head["l5d-err"])
						assert.NotContains(t, head, "via")
						assert.NotContains(t, head, "l5d-success-class")
					}
				})
			})
		}
	}
}

func wait(d time.Duration) func(*world, *rawEndpoint) {
	return func(w *world, ds *rawEndpoint) {
		assert.NotContains(w.t, ds.peer().got(), "RST 1 CANCEL")
		time.Sleep(d)
		assert.Equal(w.t, []string{"RST 1 CANCEL"}, ds.peer().got(), "the endpoint is told")
	}
}

func resets(code xhttp2.ErrCode) func(*world, *rawEndpoint) {
	return func(_ *world, ds *rawEndpoint) { ds.peer().reset(1, code) }
}

func TestMaxConcurrent(t *testing.T) {
	inWorld(t, setup{server: meshh2.ServerOptions{MaxConcurrent: 1}}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		c.request(3, true, "GET", "dog")
		assert.Equal(t, []string{"RST 3 REFUSED_STREAM"}, c.got())
		c.request(5, true, "GET", "dog", "content-type", "application/grpc")
		assert.Equal(t, []string{"RST 5 REFUSED_STREAM"}, c.got())
		ds.peer().respond(1, true, "200")
		c.got()
		c.request(7, true, "GET", "dog")
		ds.peer().respond(3, true, "200")
		assert.Equal(t, "200", endOf(c))
	})
}

// The caller leaves in every state that an exchange can be in.
func TestCallerLeaves(t *testing.T) {
	states := []struct {
		name      string
		setup     setup
		authority string
		reach     func(w *world, c *rawPeer, ds *rawEndpoint)
		told      bool // the endpoint has heard of it
	}{
		{name: "binding", authority: "pending"},
		{name: "connecting", setup: setup{client: clients(transport.ClientOptions{}, meshh2.ClientSettings{Dial: stuck})}},
		{name: "sending", reach: func(_ *world, c *rawPeer, _ *rawEndpoint) { c.data(1, false, "x") }, told: true},
		{name: "waiting for the head", reach: func(_ *world, c *rawPeer, _ *rawEndpoint) { c.data(1, true, "x") }, told: true},
		{name: "reading", reach: func(_ *world, _ *rawPeer, ds *rawEndpoint) { ds.peer().respond(1, false, "200") }, told: true},
		{
			name: "withheld", setup: setup{service: services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.All})},
			reach: func(_ *world, _ *rawPeer, ds *rawEndpoint) { ds.peer().respond(1, false, "200") }, told: true,
		},
		{
			name: "backoff",
			setup: setup{service: services(transport.ServiceOptions{Backoff: retry.Constant(time.Second)},
				meshh2.ServiceSettings{Classifier: meshh2.All})},
			reach: func(_ *world, c *rawPeer, ds *rawEndpoint) {
				c.data(1, true, "x")
				ds.peer().respond(1, true, "500")
				ds.peer().got()
			},
		},
	}
	for _, s := range states {
		for _, how := range []string{"reset", "gone"} {
			t.Run(s.name+" "+how, func(t *testing.T) {
				inWorld(t, s.setup, func(w *world) {
					ds := w.raw("dog")
					authority := s.authority
					if authority == "" {
						authority = "dog"
					}
					c := w.caller()
					c.request(1, false, "POST", authority)
					if s.told {
						ds.peer().got()
					}
					if s.reach != nil {
						s.reach(w, c, ds)
						ds.peer().got()
					}
					c.got()
					want := "RST 1 CANCEL"
					if how == "reset" {
						c.reset(1, xhttp2.ErrCodeEnhanceYourCalm)
						want = "RST 1 ENHANCE_YOUR_CALM"
					} else {
						c.close()
					}
					if s.told {
						assert.Equal(t, []string{want}, ds.peer().got())
					} else if ds.connections() > 0 {
						assert.Empty(t, ds.peer().got())
					}
					time.Sleep(time.Minute)
					if ds.connections() > 0 {
						assert.NotContains(t, strings.Join(ds.peer().got(), " "), "HEADERS", "nothing comes after it")
					}
					assert.Equal(t, 0, w.server("pending"))
					assert.Equal(t, 0, w.server("failures"))
					assert.Equal(t, 1, w.server("requests"))
					assert.Equal(t, 0, w.service("dog", "pending"))
					assert.Equal(t, 0, w.client("dog", "pending"))
					assert.Equal(t, 0, w.client("dog", "open_streams"))
				})
			})
		}
	}
}

func stuck(ctx context.Context, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func TestGoAwayIsRequeued(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "POST", "dog")
		ds.peer().got()
		c.request(3, false, "POST", "dog")
		c.data(3, false, "begun")
		first := ds.peer()
		assert.Equal(t, []string{"HEADERS 3 :path=/", `DATA 3 "begun"`}, first.got())
		first.goAway(1)
		second := ds.peer()
		assert.NotSame(t, first, second)
		assert.Equal(t, []string{"HEADERS 1 :path=/", `DATA 1 "begun"`}, second.got(), "what was not processed goes elsewhere")
		c.data(3, true, "ended")
		assert.Equal(t, []string{`DATA 1 "ended" end`}, second.got())
		first.respond(1, true, "200", "from", "first")
		second.respond(1, true, "200", "from", "second")
		assert.ElementsMatch(t, []string{
			"HEADERS 1 :status=200 l5d-success-class=1.0 end", "HEADERS 3 :status=200 l5d-success-class=1.0 end",
		}, c.got())
		assert.Equal(t, 1, w.client("dog", "retries", "requeues"))
		assert.Equal(t, 2, w.service("dog", "success"))
		assert.Equal(t, 0, w.service("dog", "failures"))
	})
}

func TestRefusedIsRequeuedOnceTheBodyIsKept(t *testing.T) {
	s := setup{service: services(transport.ServiceOptions{}, meshh2.ServiceSettings{RequestBytes: 4})}
	inWorld(t, s, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, false, "POST", "dog")
		c.data(1, false, "1234")
		ds.peer().reset(1, xhttp2.ErrCodeRefusedStream)
		ds.peer().got()
		c.data(1, false, "5")
		assert.Equal(t, []string{`DATA 3 "5"`}, ds.peer().got())
		ds.peer().reset(3, xhttp2.ErrCodeRefusedStream)
		assert.Equal(t, "RST REFUSED_STREAM", endOf(c), "it is not there any more")
	})
}

func TestConnectFailuresAreRequeued(t *testing.T) {
	inWorld(t, setup{client: clients(transport.ClientOptions{Accrual: circuit.None{}}, meshh2.ClientSettings{})}, func(w *world) {
		ds := w.raw("")
		w.put("dog", w.address(), ds.addr)
		c := w.caller()
		for id := uint32(1); id < 20; id += 2 {
			c.request(id, true, "POST", "dog")
			ds.peer().respond(id, true, "200")
			assert.Equal(t, "200", endOf(c))
		}
		assert.Equal(t, 10, w.service("dog", "success"))
		assert.NotZero(t, w.client("dog", "retries", "requeues"))
	})
	inWorld(t, setup{client: clients(transport.ClientOptions{Accrual: circuit.None{}}, meshh2.ClientSettings{})}, func(w *world) {
		w.put("dog", "10.7.7.7:80")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		assert.Equal(t, "502", endOf(c))
		assert.Equal(t, 25, w.client("dog", "retries", "requeues"))
		assert.Equal(t, 1, w.client("dog", "failures", telemetry.FailureConnection)/26)
	})
}

func TestRetryBackoffAndBudget(t *testing.T) {
	s := setup{service: services(
		transport.ServiceOptions{Backoff: retry.Constant(time.Second), Budget: retry.BudgetOptions{TTL: 10 * time.Second, MinPerSecond: retry.None, Ratio: 1}},
		meshh2.ServiceSettings{Classifier: meshh2.All})}
	inWorld(t, s, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, false, "POST", "dog")
		ds.peer().respond(1, true, "500")
		ds.peer().got()
		c.data(1, true, "late") // while nobody is there to take it
		time.Sleep(time.Second - 1)
		assert.Equal(t, []string{}, append([]string{}, ds.peer().got()...))
		time.Sleep(time.Nanosecond)
		assert.Equal(t, []string{"HEADERS 3 :path=/", `DATA 3 "late" end`}, ds.peer().got())
		ds.peer().respond(3, true, "503")
		assert.Equal(t, "503", endOf(c), "the budget allows one retry for one request")
		assert.Equal(t, 1, w.service("dog", "retries", "budget_exhausted"))
		assert.Equal(t, 1, w.service("dog", "retries", "total"))
		assert.Equal(t, 1, w.service("dog", "failures"))
		assert.Equal(t, 2, w.client("dog", "failures"))
	})
}

func TestWithheldResponses(t *testing.T) {
	s := setup{service: services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.GRPC{}})}
	inWorld(t, s, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "POST", "dog", "content-type", "application/grpc")
		ds.peer().respond(1, false, "200")
		ds.peer().data(1, false, "try one")
		ds.peer().fields(1, true, "grpc-status", "14")
		assert.Empty(t, c.got())
		ds.peer().respond(3, false, "200")
		ds.peer().data(3, false, "try two")
		assert.Empty(t, c.got())
		ds.peer().fields(3, true, "grpc-status", "0")
		assert.Equal(t, []string{
			"HEADERS 1 :status=200", `DATA 1 "try two"`, "HEADERS 1 grpc-status=0 l5d-success-class=1.0 end",
		}, c.got(), "V128")
		assert.Equal(t, 1, w.service("dog", "retries", "total"))

		// A reset instead of an end is the caller's too.
		c.request(3, true, "POST", "dog", "content-type", "application/grpc")
		ds.peer().respond(5, false, "200")
		ds.peer().reset(5, xhttp2.ErrCodeCancel)
		assert.Equal(t, []string{"RST 3 CANCEL"}, c.got())
	})
}

func TestEndpointAnswersEarly(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, false, "POST", "dog")
		c.data(1, false, "some")
		ds.peer().respond(1, true, "413")
		assert.Equal(t, []string{"HEADERS 1 :status=413 l5d-success-class=1.0 end"}, c.got())
		assert.Equal(t, 0, w.service("dog", "pending"))
		ds.peer().got()
		c.data(1, false, "more")
		assert.Equal(t, []string{`DATA 1 "more"`}, ds.peer().got(), "it has not said that it wants no more")
		ds.peer().reset(1, xhttp2.ErrCodeNo)
		assert.Equal(t, []string{"RST 1 NO_ERROR"}, c.got())

		// An answer of the mesh.
		c.request(3, false, "POST", "neg")
		assert.Equal(t, "RST 3 NO_ERROR", last(c.got()))
	})
}

func last(events []string) string {
	if len(events) == 0 {
		return ""
	}
	return events[len(events)-1]
}

func TestInformationalResponses(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, false, "POST", "dog", "expect", "100-continue")
		ds.peer().respond(1, false, "100")
		assert.Equal(t, []string{"HEADERS 1 :status=100"}, c.got())
		ds.peer().respond(1, false, "103", "link", "x")
		assert.Equal(t, []string{"HEADERS 1 :status=103"}, c.got())
		c.data(1, true, "x")
		ds.peer().respond(1, true, "200")
		assert.Equal(t, []string{"HEADERS 1 :status=200 l5d-success-class=1.0 end"}, c.got())
	})
}

func TestTrailersBothWays(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, false, "POST", "dog", "trailer", "x-a")
		c.data(1, false, "x")
		c.fields(1, true, "x-a", "b")
		assert.Equal(t, "b", ds.peer().head()["x-a"])
		assert.Equal(t, []string{"HEADERS 1 :path=/", `DATA 1 "x"`, "HEADERS 1  end"}, ds.peer().got())
		ds.peer().respond(1, false, "200")
		ds.peer().fields(1, true, "x-c", "d")
		assert.Equal(t, []string{"HEADERS 1 :status=200", "HEADERS 1 l5d-success-class=1.0 end"}, c.got())
		assert.Equal(t, "d", c.head()["x-c"])
	})
}

func TestLocalAnswers(t *testing.T) {
	inWorld(t, setup{rules: "/svc => /#/w; /svc/no => /$/io.buoyant.http.status/401"}, func(w *world) {
		c := w.caller()
		c.request(1, true, "GET", "no")
		assert.Equal(t, []string{"HEADERS 1 :status=401 l5d-success-class=1.0 end"}, c.got())
		c.request(3, false, "POST", "no")
		assert.Equal(t, []string{"HEADERS 3 :status=401 l5d-success-class=1.0 end", "RST 3 NO_ERROR"}, c.got())
		assert.Equal(t, 2, w.service("no", "success"))
		assert.Equal(t, 2, w.server("status", "401"))
	})
}

func TestClearContextOfListener(t *testing.T) {
	inWorld(t, setup{server: meshh2.ServerOptions{ClearContext: true}}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog", "l5d-dtab", "/foo=>/bar", "l5d-ctx-thing", "x")
		got := ds.peer().head()
		assert.NotContains(t, got, "l5d-ctx-dtab")
		assert.NotContains(t, got, "l5d-ctx-thing")
		assert.NotEmpty(t, got["l5d-ctx-trace"])
		ds.peer().respond(1, true, "200", "l5d-ctx-thing", "x")
		assert.Equal(t, []string{"HEADERS 1 :status=200 end"}, c.got())
		assert.NotContains(t, c.head(), "l5d-ctx-thing")

		c.request(3, true, "GET", "neg")
		assert.Equal(t, []string{"HEADERS 3 :status=502 end"}, c.got())

		// An error of the next hop's mesh loses its body too.
		c.request(5, true, "GET", "dog")
		ds.peer().respond(3, false, "502", "l5d-err", "x", "content-type", "text/plain", "content-length", "6")
		ds.peer().data(3, true, "secret")
		assert.Equal(t, []string{"HEADERS 5 :status=502 end"}, c.got())
		assert.NotContains(t, c.head(), "content-length")
		assert.Equal(t, 0, w.server("pending"))
	})
}

// All connections to an endpoint have as many streams as it allows.
func TestWaitsForRoom(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog", xhttp2.Setting{ID: xhttp2.SettingMaxConcurrentStreams, Val: 1})
		c := w.caller()
		id := uint32(1)
		c.request(id, true, "GET", "dog")
		for before := 0; ds.connections() > before; {
			before = ds.connections()
			id += 2
			c.request(id, true, "GET", "dog")
		}
		c.request(id+2, true, "GET", "dog")
		assert.Equal(t, int(id-1)/2, ds.connections())
		assert.Empty(t, c.got())
		c.reset(id, xhttp2.ErrCodeCancel)
		p := ds.peer()
		p.got()
		p.respond(1, true, "200")
		assert.Equal(t, []string{"HEADERS 3 :path=/ end"}, p.got())
		p.respond(3, true, "204")
		assert.Equal(t, "HEADERS "+strconv.Itoa(int(id+2))+" :status=204 l5d-success-class=1.0 end", last(c.got()), "who waited longest but one")

		// There is a limit to the waiting.
		for range 2 {
			id += 4
			c.request(id, true, "GET", "dog")
		}
		c.got()
		time.Sleep(10 * time.Second)
		assert.Equal(t, []string{"RST " + strconv.Itoa(int(id)) + " INTERNAL_ERROR"}, c.got())
		assert.Equal(t, 0, w.client("dog", "retries", "requeues"))
	})
}

func TestRetriesGoElsewhere(t *testing.T) {
	s := setup{
		service: services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.All}),
		client:  clients(transport.ClientOptions{Accrual: circuit.None{}}, meshh2.ClientSettings{}), // or five in a row leave one endpoint
	}
	inWorld(t, s, func(w *world) {
		a, b := w.raw(""), w.raw("")
		w.put("dog", a.addr, b.addr)
		c := w.caller()
		for id := uint32(1); id < 40; id += 2 {
			c.request(id, true, "GET", "dog")
			c.got()
			tried := 0
			for _, ds := range []*rawEndpoint{a, b, a} {
				if ds.connections() == 0 {
					continue
				}
				for _, e := range ds.peer().got() {
					if strings.HasPrefix(e, "HEADERS") {
						tried++
						n, _ := strconv.Atoi(strings.Fields(e)[1])
						ds.peer().respond(uint32(n), true, []string{"500", "200"}[tried-1])
					}
				}
			}
			assert.Equal(t, "200", endOf(c))
		}
		assert.Equal(t, 20, w.service("dog", "retries", "total"))
	})
}

// What is too long to be sent again is not withheld, and counted if it would have
// been sent again.
func TestLongRequestsAreNotWithheld(t *testing.T) {
	s := setup{service: services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.GRPC{}, RequestBytes: 3})}
	inWorld(t, s, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, false, "POST", "dog", "content-type", "application/grpc")
		ds.peer().got()
		c.data(1, true, "long")
		ds.peer().respond(1, false, "200")
		assert.Equal(t, []string{"HEADERS 1 :status=200"}, c.got())
		ds.peer().fields(1, true, "grpc-status", "14")
		assert.Equal(t, []string{"HEADERS 1 grpc-status=14 l5d-success-class=0.0 end"}, c.got())
		assert.Equal(t, 1, w.service("dog", "retries", "request_stream_too_long"))
		assert.Equal(t, 1, w.service("dog", "failures"))
	})
}
