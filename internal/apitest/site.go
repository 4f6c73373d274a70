package apitest

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/httpapi"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/static"
)

// site is a namerd that serves a store with the namespaces of the vectors: yeezus,
// which is /yeezy=>/yeezus, and tlop, which is /yeezy=>/pablo.
type site struct {
	o     Options
	store namerd.Store
	namer *static.Namer // of /#/io.l5d.namer
	base  string
	addr  string
	v1    string // the tag of yeezus
}

func newSite(t *testing.T, store namerd.Store, o Options) *site {
	t.Helper()
	namer, err := static.New(static.Config{Prefix: dtab.MustPath("/#/io.l5d.namer")})
	require.NoError(t, err)
	n, err := namerd.New(namerd.Options{Store: store, Namers: naming.Under(namer)})
	require.NoError(t, err)
	h := httpapi.New(n, httpapi.Options{})
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		assert.NoError(t, h.Close())
		server.Close()
		assert.NoError(t, n.Close())
		assert.NoError(t, store.Close())
	})
	s := &site{o: o, store: store, namer: namer, base: server.URL, addr: server.Listener.Addr().String()}
	for ns, text := range map[string]string{"yeezus": "/yeezy=>/yeezus", "tlop": "/yeezy=>/pablo"} {
		v, err := store.Create(t.Context(), ns, dtab.MustParse(text), namerd.Note{})
		require.NoError(t, err)
		if ns == "yeezus" {
			s.v1 = base64.StdEncoding.EncodeToString([]byte(v))
		}
	}
	if o.Literal {
		require.Equal(t, "AAAAAAAAAAE=", s.v1)
	}
	return s
}

// other returns a tag that yeezus does not have.
func (s *site) other() string {
	b, err := base64.StdEncoding.DecodeString(s.v1)
	if err != nil || len(b) == 0 {
		return "bm90IGl0"
	}
	if s.o.Literal {
		return "AAAAAAAAAAI="
	}
	b[len(b)-1] ^= 1
	return base64.StdEncoding.EncodeToString(b)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	length int64
	body   string
}

// send sends a request. The header is pairs of a name and a value.
func (s *site) send(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), s.o.Limit)
	defer cancel()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	rsp := s.open(ctx, t, method, path, content, header...)
	defer func() { assert.NoError(t, rsp.Body.Close()) }()
	b, err := io.ReadAll(rsp.Body)
	require.NoError(t, err)
	return answer{rsp.StatusCode, rsp.Header, rsp.ContentLength, string(b)}
}

func (s *site) open(ctx context.Context, t *testing.T, method, path string, body io.Reader, header ...string) *http.Response {
	t.Helper()
	u, err := url.Parse(s.base)
	require.NoError(t, err)
	// The path goes out as it is.
	u.Opaque, u.RawQuery, _ = strings.Cut(path, "?")
	u.RawQuery = strings.ReplaceAll(u.RawQuery, "#", "%23")
	req, err := http.NewRequestWithContext(ctx, method, s.base, body)
	require.NoError(t, err)
	req.URL = u
	for i := 0; i < len(header); i += 2 {
		req.Header[header[i]] = append(req.Header[header[i]], header[i+1])
	}
	rsp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return rsp
}

func (s *site) get(t *testing.T, path string, header ...string) answer {
	t.Helper()
	return s.send(t, http.MethodGet, path, "", header...)
}

// put writes a dtab as text.
func (s *site) put(t *testing.T, ns, text string) {
	t.Helper()
	a := s.send(t, http.MethodPut, "/api/1/dtabs/"+ns, text, "Content-Type", "application/dtab")
	require.Equal(t, http.StatusNoContent, a.status, a.body)
}

// text returns the dtab of a namespace as text.
func (s *site) text(t *testing.T, ns string) string {
	t.Helper()
	a := s.get(t, "/api/1/dtabs/"+ns, "Accept", "application/dtab")
	require.Equal(t, http.StatusOK, a.status, a.body)
	return strings.TrimSuffix(a.body, "\n")
}

// eventually waits until the body of what is read is the wanted one: what is derived
// from a store follows it a moment later.
func (s *site) eventually(t *testing.T, path, want string) answer {
	t.Helper()
	var a answer
	deadline := time.Now().Add(s.o.Limit)
	for {
		if a = s.get(t, path); a.body == want || time.Now().After(deadline) {
			require.Equal(t, want, a.body)
			return a
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// untouched checks that the namespaces are what they were.
func (s *site) untouched(t *testing.T) {
	t.Helper()
	assert.Equal(t, "/yeezy=>/yeezus", s.text(t, "yeezus"))
	assert.Equal(t, "/yeezy=>/pablo", s.text(t, "tlop"))
	assert.Equal(t, "[\"tlop\",\"yeezus\"]\n", s.get(t, "/api/1/dtabs").body)
}

// fill puts tags in.
func (s *site) fill(text string) string {
	return strings.NewReplacer("{v1}", s.v1, "{other}", s.other()).Replace(text)
}
