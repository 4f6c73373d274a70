package h2router_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	xhttp2 "golang.org/x/net/http2"

	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/transport/http2"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// endpoint starts an h2c server and returns its address as a name has it.
func endpoint(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := http2.NewServer(http2.ServerOptions{Handler: h})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return strings.Replace(l.Addr().String(), ":", "/", 1)
}

func woof(w http.ResponseWriter, r *http.Request) {
	_, _ = fmt.Fprintf(w, "woof %s %s", r.Host, r.Header.Get("Via"))
}

// start runs a proxy with one h2 router and returns the address of its server.
func start(t *testing.T, to, server, more string) (*proxy.Proxy, string) {
	t.Helper()
	p, err := proxy.New(load(t, fmt.Sprintf("admin: {port: 0}\nrouters:\n- protocol: h2\n  dtab: /svc/dog => /$/inet/%s\n  servers: [{port: 0%s}]\n%s", to, server, more)), proxy.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Close() })
	addrs, err := p.Start()
	require.NoError(t, err)
	return p, addrs.Servers["h2"][0]
}

// get makes a request with prior knowledge, or over TLS.
func get(t *testing.T, url, host string, cfg *tls.Config, fields ...string) (*http.Response, string) {
	t.Helper()
	tr := &http.Transport{Protocols: &http.Protocols{}, TLSClientConfig: cfg}
	tr.Protocols.SetUnencryptedHTTP2(true)
	tr.Protocols.SetHTTP2(true)
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	req.Host = host
	for i := 0; i < len(fields); i += 2 {
		req.Header.Set(fields[i], fields[i+1])
	}
	resp, err := (&http.Client{Transport: tr, Timeout: 10 * time.Second}).Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

func TestPriorKnowledge(t *testing.T) {
	_, addr := start(t, endpoint(t, woof), ", maxCallDepth: 2", "")
	resp, body := get(t, "http://"+addr, "dog", nil)
	assert.Equal(t, "HTTP/2.0 200 woof dog h2 linkerd", fmt.Sprint(resp.Proto, " ", resp.StatusCode, " ", body))
	assert.Equal(t, "1.0", resp.Header.Get("L5d-Success-Class")+resp.Trailer.Get("L5d-Success-Class"))

	resp, body = get(t, "http://"+addr, "dog", nil, "Via", "a, b, c")
	assert.Equal(t, 400, resp.StatusCode)
	assert.Contains(t, body, "Maximum number of calls (2)")
	resp, body = get(t, "http://"+addr, "cat", nil)
	assert.Equal(t, 502, resp.StatusCode)
	assert.NotEmpty(t, body)
	resp, body = get(t, "http://"+addr, "cat", nil, "Content-Type", "application/grpc")
	assert.Equal(t, "200 14 ", fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("Grpc-Status"), " ", body))
	assert.NotEmpty(t, resp.Header.Get("Grpc-Message"))
}

func TestUpgrade(t *testing.T) {
	_, addr := start(t, endpoint(t, woof), "", "")
	nc, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer nc.Close()
	require.NoError(t, nc.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(nc, "GET / HTTP/1.1\r\nHost: dog\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
	require.NoError(t, err)
	r := bufio.NewReader(nc)
	resp, err := http.ReadResponse(r, nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	fr := xhttp2.NewFramer(nc, r)
	_, err = io.WriteString(nc, xhttp2.ClientPreface)
	require.NoError(t, err)
	require.NoError(t, fr.WriteSettings())
	for {
		f, err := fr.ReadFrame()
		require.NoError(t, err)
		if d, ok := f.(*xhttp2.DataFrame); ok {
			assert.Equal(t, "1 woof dog h2 linkerd", fmt.Sprint(d.StreamID, " ", string(d.Data())))
			return
		}
	}
}

func TestTLS(t *testing.T) {
	files := testcert.NewFiles(t, "linkerd")
	_, addr := start(t, endpoint(t, woof), fmt.Sprintf(", tls: {certPath: %s, keyPath: %s}", files.Cert, files.Key), "")
	cfg := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // whose certificate it is, is not the question
	resp, body := get(t, "https://"+addr, "dog", cfg)
	assert.Equal(t, "HTTP/2.0 woof dog h2 linkerd", resp.Proto+" "+body)
	nc, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}) //nolint:gosec // likewise
	require.NoError(t, err, "crypto/tls lets those pass")
	defer nc.Close()
	require.NoError(t, nc.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = nc.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "another protocol is none")
}

func TestAccessLogIsReopened(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.log")
	p, addr := start(t, endpoint(t, woof), "", "  h2AccessLog: "+file+"\n")
	line := func() string {
		var b []byte
		require.Eventually(t, func() bool { b, _ = os.ReadFile(file); return len(b) > 0 }, 10*time.Second, time.Millisecond)
		return string(b)
	}
	want := `^dog 127\.0\.0\.1 - - \[.+ \+0000\] "GET /x HTTP/2" 200 - "there" "test"\n$`
	get(t, "http://"+addr+"/x", "dog", nil, "User-Agent", "test", "Referer", "there")
	assert.Regexp(t, want, line())
	require.NoError(t, os.Rename(file, file+".1"))
	require.NoError(t, p.Reopen())
	get(t, "http://"+addr+"/x", "dog", nil, "User-Agent", "test", "Referer", "there")
	assert.Regexp(t, want, line())
}

// Shutdown says GOAWAY and lets the requests end that are under way.
func TestShutdownDrains(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	p, addr := start(t, endpoint(t, func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-leave
		_, _ = io.WriteString(w, "at last")
	}), "", "")
	goAway := make(chan struct{})
	tr := &http.Transport{Protocols: &http.Protocols{}, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, network, addr)
		return &watched{Conn: nc, goAway: goAway}, err
	}}
	tr.Protocols.SetUnencryptedHTTP2(true)
	defer tr.CloseIdleConnections()
	answer := make(chan string, 1)
	go func() {
		resp, err := (&http.Client{Transport: tr}).Get("http://dog/")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-arrived
	down := make(chan struct{})
	go func() { p.Shutdown(20 * time.Second); close(down) }()
	waiting := make(chan error, 1)
	go func() { waiting <- p.Wait(t.Context()) }()
	<-goAway
	close(leave)
	assert.Equal(t, "at last", <-answer)
	require.NoError(t, <-waiting)
	<-down
}

// watched closes goAway when such a frame has been read.
type watched struct {
	net.Conn
	goAway chan struct{}
	seen   []byte
	done   bool
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.seen = append(w.seen, p[:n]...)
	for !w.done && len(w.seen) >= 9 {
		length := int(w.seen[0])<<16 | int(w.seen[1])<<8 | int(w.seen[2])
		if len(w.seen) < 9+length {
			break
		}
		if xhttp2.FrameType(w.seen[3]) == xhttp2.FrameGoAway {
			w.done = true
			close(w.goAway)
		}
		w.seen = w.seen[9+length:]
	}
	return n, err
}
