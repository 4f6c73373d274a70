package zipkin_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/telemetry/zipkin"
)

const patience = 30 * time.Second

// collector answers as its test says, and keeps the names of the spans that it took.
type collector struct {
	*httptest.Server

	mu     sync.Mutex
	answer func(call int, w http.ResponseWriter, r *http.Request) bool // false: not taken
	calls  int
	names  []string
}

func newCollector(t *testing.T, answer func(call int, w http.ResponseWriter, r *http.Request) bool) *collector {
	t.Helper()
	c := &collector{answer: answer}
	c.Server = httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) take(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.calls++
	call := c.calls
	c.mu.Unlock()
	var spans []struct{ Name string }
	if json.NewDecoder(r.Body).Decode(&spans) != nil || r.Header.Get("B3") != "0" || r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if c.answer != nil && !c.answer(call, w, r) {
		return
	}
	c.mu.Lock()
	for _, s := range spans {
		c.names = append(c.names, s.Name)
	}
	c.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
}

func (c *collector) took() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.names
}

func newExporter(t *testing.T, o zipkin.Options) *zipkin.Exporter {
	t.Helper()
	e, err := zipkin.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	return e
}

func span(name string) telemetry.Span {
	now := time.Now()
	return telemetry.Span{Trace: telemetry.NewTrace(), Kind: telemetry.ServerSpan, Name: name, Start: now, End: now.Add(time.Millisecond)}
}

func TestCloseDelivers(t *testing.T) {
	c := newCollector(t, nil)
	e := newExporter(t, zipkin.Options{URL: c.URL})
	for range 450 {
		e.Record(span("x"))
	}
	require.NoError(t, e.Close())
	assert.Len(t, c.took(), 450)
	assert.Equal(t, 3, c.calls, "in batches")
	assert.Equal(t, []int64{450, 0}, []int64{e.Sent(), e.Dropped()})
}

// TestOptionsOfDelivery: what is set there holds.
func TestOptionsOfDelivery(t *testing.T) {
	var own, other bytes.Buffer
	c := newCollector(t, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, strings.Repeat("no", 1000), http.StatusBadRequest)
		return false
	})
	e := newExporter(t, zipkin.Options{
		URL: c.URL, Logger: slog.New(slog.NewTextHandler(&other, nil)),
		Delivery: telemetry.DeliveryOptions{Batch: 10, Logger: slog.New(slog.NewTextHandler(&own, nil))},
	})
	for range 25 {
		e.Record(span("x"))
	}
	require.NoError(t, e.Close())
	assert.Equal(t, 3, c.calls, "batches of ten")
	assert.Contains(t, own.String(), "nono")
	assert.Less(t, len(own.String()), 1000, "only the beginning of what a collector says")
	assert.Empty(t, other.String())
}

// TestPasswordsAreNotLogged: a URL may have one.
func TestPasswordsAreNotLogged(t *testing.T) {
	var logged bytes.Buffer
	e := newExporter(t, zipkin.Options{
		URL: "http://me:secret@127.0.0.1:1", Logger: slog.New(slog.NewTextHandler(&logged, nil)), Delivery: telemetry.DeliveryOptions{Linger: time.Millisecond},
	})
	e.Record(span("x"))
	require.NoError(t, e.Close())
	assert.Contains(t, logged.String(), "127.0.0.1:1/api/v2/spans")
	assert.NotContains(t, logged.String(), "secret")
}

// TestNoProxy: no environment variable leads elsewhere (see TestMain, which sets one).
func TestNoProxy(t *testing.T) {
	c := newCollector(t, nil)
	e := newExporter(t, zipkin.Options{URL: strings.Replace(c.URL, "127.0.0.1", "0.0.0.0", 1)}) // which proxies are asked for
	e.Record(span("x"))
	require.NoError(t, e.Close())
	assert.Equal(t, int64(1), e.Sent())
}

// TestPassingTroubles are those after which spans arrive.
func TestPassingTroubles(t *testing.T) {
	for name, trouble := range map[string]func(w http.ResponseWriter, r *http.Request){
		"500": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "storage is down", http.StatusInternalServerError)
		},
		"408": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestTimeout) },
		"429": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"reset": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.(*net.TCPConn).SetLinger(0)
				_ = conn.Close()
			}
		},
		"hangs": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t, func(call int, w http.ResponseWriter, r *http.Request) bool {
				if call == 1 {
					trouble(w, r)
				}
				return call > 1
			})
			e := newExporter(t, zipkin.Options{URL: c.URL, Delivery: telemetry.DeliveryOptions{Batch: 1, Timeout: time.Second}})
			e.Record(span("one"))
			require.Eventually(t, func() bool { return e.Sent() == 1 }, patience, 5*time.Millisecond)
			assert.Equal(t, []string{"one"}, c.took())
		})
	}
}

// TestAnswersThatAreFinal: spans that nobody wants are not offered again.
func TestAnswersThatAreFinal(t *testing.T) {
	for _, code := range []int{http.StatusBadRequest, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusFound} {
		var logged bytes.Buffer
		c := newCollector(t, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
			_, _ = w.Write([]byte("no such thing"))
			return false
		})
		e := newExporter(t, zipkin.Options{URL: c.URL, Logger: slog.New(slog.NewTextHandler(&logged, nil)), Delivery: telemetry.DeliveryOptions{Batch: 1}})
		e.Record(span("one"))
		require.NoError(t, e.Close())
		assert.Equal(t, []int64{0, 1}, []int64{e.Sent(), e.Dropped()}, code)
		assert.Equal(t, 1, c.calls, code)
		assert.Contains(t, logged.String(), "no such thing")
		assert.Contains(t, logged.String(), "collector="+c.URL+"/api/v2/spans")
	}
}

// TestFlood: whatever the collector does, recording is quick, every span is counted and
// the end comes soon.
func TestFlood(t *testing.T) {
	for name, collector := range map[string]func(t *testing.T) string{
		"hangs": func(t *testing.T) string {
			t.Helper()
			return newCollector(t, func(_ int, _ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return false }).URL
		},
		"refuses": func(t *testing.T) string {
			t.Helper()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			require.NoError(t, l.Close())
			return "http://" + l.Addr().String()
		},
		"takes all": func(t *testing.T) string { t.Helper(); return newCollector(t, nil).URL },
	} {
		t.Run(name, func(t *testing.T) {
			e := newExporter(t, zipkin.Options{URL: collector(t), Delivery: telemetry.DeliveryOptions{Linger: 200 * time.Millisecond}})
			s := span("x")
			began := time.Now()
			for range 100_000 {
				e.Record(s)
			}
			assert.Less(t, time.Since(began), 5*time.Second, "of 100,000 spans, on a busy machine")
			began = time.Now()
			require.NoError(t, e.Close())
			assert.Less(t, time.Since(began), 10*time.Second)
			assert.Equal(t, int64(100_000), e.Sent()+e.Dropped())
			assert.Positive(t, e.Dropped())
		})
	}
}

func TestTLS(t *testing.T) {
	c := &collector{}
	c.Server = httptest.NewTLSServer(http.HandlerFunc(c.take))
	defer c.Server.Close()
	var asked atomic.Int64
	trusted := c.Client().Transport.(*http.Transport).TLSClientConfig
	e := newExporter(t, zipkin.Options{URL: c.URL, TLS: func() (*tls.Config, error) {
		asked.Add(1)
		return &tls.Config{RootCAs: trusted.RootCAs, MinVersion: tls.VersionTLS12}, nil // the name is the URL's
	}})
	e.Record(span("secret"))
	require.NoError(t, e.Close())
	assert.Equal(t, []string{"secret"}, c.took())
	assert.Equal(t, int64(1), asked.Load())

	var logged bytes.Buffer
	e = newExporter(t, zipkin.Options{
		URL: c.URL, Logger: slog.New(slog.NewTextHandler(&logged, nil)),
		TLS: func() (*tls.Config, error) { return nil, errors.New("the file is gone") },
	})
	e.Record(span("without settings"))
	require.NoError(t, e.Close())
	assert.Equal(t, int64(1), e.Dropped())
	assert.Contains(t, logged.String(), "the file is gone")

	e = newExporter(t, zipkin.Options{URL: c.URL})
	e.Record(span("untrusted"))
	require.NoError(t, e.Close())
	assert.Equal(t, int64(1), e.Dropped())
}

func TestNoURL(t *testing.T) {
	_, err := zipkin.New(zipkin.Options{URL: "zipkin"})
	require.EqualError(t, err, `zipkin: "zipkin" is not the address of a collector: want a URL such as http://localhost:9411/api/v2/spans`)
}
