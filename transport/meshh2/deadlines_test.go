package meshh2_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/propagation"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshh2"
)

func ctxDeadline(d time.Duration) string {
	now := time.Now()
	return propagation.Deadline{Timestamp: now, At: now.Add(d)}.String()
}

// told returns how long an endpoint is told that it has, by l5d-ctx-deadline.
func told(p *rawPeer) time.Duration {
	d, _ := propagation.ParseDeadline(p.head()["l5d-ctx-deadline"])
	return time.Until(d.At)
}

func TestContextDeadline(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog", "l5d-ctx-deadline", ctxDeadline(time.Second))
		assert.Equal(t, time.Second, told(ds.peer()))
		ds.peer().got()
		time.Sleep(time.Second)
		assert.Equal(t, []string{"RST 1 INTERNAL_ERROR"}, c.got())
		assert.Equal(t, []string{"RST 1 CANCEL"}, ds.peer().got())

		// It ends when the response begins.
		c.request(3, true, "GET", "dog", "l5d-ctx-deadline", ctxDeadline(time.Second))
		ds.peer().respond(3, false, "200")
		time.Sleep(time.Minute)
		ds.peer().data(3, true, "x")
		assert.Equal(t, "HEADERS 3 l5d-success-class=1.0 end", last(c.got()))

		// One that has passed is not sent.
		ds.peer().got()
		c.request(5, true, "GET", "dog", "l5d-ctx-deadline", ctxDeadline(-time.Second))
		assert.Equal(t, []string{"RST 5 INTERNAL_ERROR"}, c.got())
		assert.Empty(t, ds.peer().got())
	})
	inWorld(t, setup{mesh: meshh2.Options{AdvisoryDeadline: true}}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog", "l5d-ctx-deadline", ctxDeadline(-time.Second))
		assert.Equal(t, -time.Second, told(ds.peer()))
		ds.peer().respond(1, true, "200")
		assert.Equal(t, "200", endOf(c))
	})
}

func TestTimeoutsAreTold(t *testing.T) {
	s := setup{
		server:  meshh2.ServerOptions{Timeout: 5 * time.Second},
		service: services(transport.ServiceOptions{TotalTimeout: 4 * time.Second}, meshh2.ServiceSettings{}),
		client:  clients(transport.ClientOptions{AttemptTimeout: 3 * time.Second}, meshh2.ClientSettings{}),
	}
	inWorld(t, s, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		assert.Equal(t, 3*time.Second, told(ds.peer()))
		c.request(3, true, "GET", "dog", "l5d-ctx-deadline", ctxDeadline(time.Second))
		assert.Equal(t, time.Second, told(ds.peer()))
	})
}

func TestAttemptTimeoutIsRetried(t *testing.T) {
	s := setup{
		service: services(transport.ServiceOptions{TotalTimeout: 2500 * time.Millisecond}, meshh2.ServiceSettings{Classifier: meshh2.Read}),
		client:  clients(transport.ClientOptions{AttemptTimeout: time.Second}, meshh2.ClientSettings{}),
	}
	inWorld(t, s, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		ds.peer().got()
		time.Sleep(time.Second)
		assert.Equal(t, []string{"RST 1 CANCEL", "HEADERS 3 :path=/ end"}, ds.peer().got())
		time.Sleep(time.Second)
		assert.Equal(t, []string{"RST 3 CANCEL", "HEADERS 5 :path=/ end"}, ds.peer().got())
		assert.Equal(t, 500*time.Millisecond, told(ds.peer()))
		time.Sleep(500 * time.Millisecond)
		assert.Equal(t, []string{"RST 5 CANCEL"}, ds.peer().got())
		assert.Equal(t, []string{"RST 1 INTERNAL_ERROR"}, c.got())
		assert.Equal(t, 2, w.service("dog", "retries", "total"))
	})
}

func TestGRPCTimeoutBoundsTheCall(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, false, "POST", "dog", "content-type", "application/grpc", "grpc-timeout", "2S")
		assert.Equal(t, "2000000u", ds.peer().head()["grpc-timeout"])
		assert.Equal(t, 2*time.Second, told(ds.peer()))
		ds.peer().respond(1, false, "200")
		ds.peer().data(1, false, "x")
		time.Sleep(2*time.Second - 1)
		assert.Equal(t, []string{"HEADERS 1 :status=200", `DATA 1 "x"`}, c.got())
		ds.peer().got()
		time.Sleep(time.Nanosecond)
		assert.Equal(t, []string{"RST 1 CANCEL"}, ds.peer().got(), "it bounds the whole call")
		assert.Equal(t, []string{"HEADERS 1 grpc-status=4 end", "RST 1 NO_ERROR"}, c.got())
		assert.Equal(t, 1, w.service("dog", "failures"))
	})
	s := setup{service: services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.GRPC{}})}
	inWorld(t, s, func(w *world) { // a retry has what is left
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "POST", "dog", "content-type", "application/grpc", "grpc-timeout", "2S")
		ds.peer().got()
		time.Sleep(time.Second)
		ds.peer().respond(1, true, "200", "grpc-status", "14")
		assert.Equal(t, "1000000u", ds.peer().head()["grpc-timeout"])
		time.Sleep(time.Second)
		assert.Equal(t, "grpc 4", endOf(c))
	})
}

func TestTimerFiresWhileWithheld(t *testing.T) {
	s := setup{service: services(transport.ServiceOptions{TotalTimeout: 50 * time.Millisecond}, meshh2.ServiceSettings{Classifier: meshh2.Read})}
	inWorld(t, s, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		ds.peer().respond(1, false, "200")
		assert.Empty(t, c.got())
		time.Sleep(50 * time.Millisecond)
		assert.Equal(t, []string{"HEADERS 1 :status=200"}, c.got(), "better than none")
		ds.peer().data(1, true, strconv.Itoa(1))
		assert.Equal(t, "HEADERS 1 l5d-success-class=1.0 end", last(c.got()))
	})
}

func TestAttemptTimeoutEndsWithTheHead(t *testing.T) {
	s := setup{client: clients(transport.ClientOptions{AttemptTimeout: time.Second}, meshh2.ClientSettings{})}
	inWorld(t, s, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, true, "GET", "dog")
		ds.peer().respond(1, false, "200")
		time.Sleep(time.Minute)
		ds.peer().data(1, true, "x")
		assert.Equal(t, []string{"HEADERS 1 :status=200", `DATA 1 "x"`, "HEADERS 1 l5d-success-class=1.0 end"}, c.got())
	})
}

func TestGRPCTimeoutIsNotAdvisory(t *testing.T) {
	inWorld(t, setup{mesh: meshh2.Options{AdvisoryDeadline: true}}, func(w *world) {
		w.raw("dog")
		c := w.caller()
		c.request(1, true, "POST", "dog", "content-type", "application/grpc", "grpc-timeout", "1S")
		time.Sleep(time.Second)
		assert.Equal(t, "grpc 4", endOf(c))
	})
}

// The requests of a connection have one timer, and each its own time.
func TestDeadlinesOfOneConnection(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		for i, d := range []time.Duration{3 * time.Second, time.Second, 2 * time.Second, time.Second} {
			c.request(uint32(2*i+1), true, "GET", "dog", "l5d-ctx-deadline", ctxDeadline(d))
			c.got()
		}
		ds.peer().respond(7, true, "200")
		assert.Equal(t, "200", endOf(c))
		for _, want := range []string{"RST 3 INTERNAL_ERROR", "RST 5 INTERNAL_ERROR", "RST 1 INTERNAL_ERROR"} {
			time.Sleep(time.Second - time.Nanosecond)
			assert.Empty(t, c.got())
			time.Sleep(time.Nanosecond)
			assert.Equal(t, []string{want}, c.got())
		}
	})
}
