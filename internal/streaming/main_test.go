package streaming_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/child"
	"github.com/weft-mesh/weft/internal/origin"
	"github.com/weft-mesh/weft/internal/testcert"
)

// url is a URL of the service; clients connect to the proxy whatever it says.
func url(scheme, format string, args ...any) string {
	return scheme + "://web.test" + fmt.Sprintf(format, args...)
}

// way is a protocol of the caller and a router that speaks it.
type way struct {
	name, client, scheme string
	router               child.Router
	spoken               string // by the proxy to the origin
}

// ways are the routers that are tested.
func ways(t *testing.T) []way {
	t.Helper()
	f := testcert.NewFiles(t, "web.test")
	return []way{
		{"http", "h1", "http", child.Router{}, "HTTP/1.1"},
		{"http TLS", "h1s", "https", child.Router{Server: child.ServerTLS(f)}, "HTTP/1.1"},
		{"http, HTTP2 caller", "h2c", "http", child.Router{}, "HTTP/1.1"},
		{"http, HTTP2 endpoint", "h1", "http", child.Router{Client: "http2: true"}, "HTTP/2.0"},
		{"h2", "h2c", "http", child.Router{Protocol: "h2"}, "HTTP/2.0"},
		{"h2 TLS", "h2", "https", child.Router{Protocol: "h2", Server: child.ServerTLS(f)}, "HTTP/2.0"},
	}
}

// run starts a proxy in front of a handler and returns a client of it.
func (w way) run(t *testing.T, h http.Handler) (*child.Weft, *http.Client, *origin.Server) {
	t.Helper()
	o := origin.Serve(t, h, nil)
	w.router.To, w.router.Label = o.Port, "router"
	weft := child.Run(t, child.Config(w.router))
	client := origin.Client(t, w.client, weft.Addr(t, "router"))
	resp, err := client.Get(url(w.scheme, "/seen"))
	require.NoError(t, err)
	defer resp.Body.Close()
	var seen origin.Seen
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&seen))
	assert.Equal(t, w.spoken, seen.Proto, "between the proxy and the origin")
	assert.Equal(t, strings.HasPrefix(w.client, "h2"), resp.ProtoMajor == 2, "between the caller and the proxy")
	return weft, client, o
}

// memory watches the resident memory of a process until grown is called, which
// returns how much it was above what it had been at first, at most.
func memory(t *testing.T, p *child.Process) (grown func() int64) {
	t.Helper()
	before, most := p.RSS(), int64(0)
	require.Positive(t, before, "the memory cannot be read")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			most = max(most, p.RSS())
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-stopped
		return most - before
	}
}

// download asks for a Pattern and checks it.
func download(c *http.Client, scheme string, p origin.Pattern, opts string) error {
	resp, err := c.Get(url(scheme, "/pattern?seed=%d&size=%d%s", p.Seed, p.Size, opts))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	_, err = p.Check(resp.Body)
	return err
}

// upload sends a Pattern and has the origin check it.
func upload(c *http.Client, scheme string, p origin.Pattern, sized bool) error {
	return uploadTo(c, url(scheme, ""), p, sized)
}

func uploadTo(c *http.Client, base string, p origin.Pattern, sized bool) error {
	req, err := http.NewRequest(http.MethodPost, fmt.Sprintf("%s/check?seed=%d&size=%d", base, p.Seed, p.Size), io.NopCloser(p.Reader()))
	if err != nil {
		return err
	}
	if sized {
		req.ContentLength = p.Size
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %s %w", resp.StatusCode, text, err)
	}
	return nil
}
