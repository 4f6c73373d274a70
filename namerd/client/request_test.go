package client_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/client"
)

// TestRequests is what is sent: line, headers and body.
func TestRequests(t *testing.T) {
	var got []string
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		lines := []string{r.Method + " " + r.RequestURI}
		for _, h := range []string{"Accept", "Authorization", "Content-Type", "If-Match", "Weft-Author", "Weft-Reason"} {
			if v := r.Header.Get(h); v != "" {
				lines = append(lines, h+": "+v)
			}
		}
		got = append(got, strings.Join(append(lines, string(body)), "\n"))
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, "[]")
		}
	})
	c := open(t, base+"/pre%20fix/", client.Options{Token: "secret", Note: namerd.Note{Author: "me", Reason: "tests"}})
	ctx := t.Context()
	d := dtab.MustParse("/a => 0.001*/b & 0.999*/c; /d => 0.9*/e & 0.1*/f")
	var long dtab.Dtab
	for range 200 {
		long = append(long, dtab.MustParse("/a => /b")...)
	}
	ignore := func(err error) error { // the answer is none that makes sense here
		if strings.Contains(err.Error(), "makes no sense") {
			return nil
		}
		return err
	}
	for _, row := range []struct {
		do   func() error
		want string
	}{
		{func() error { _, err := c.List(ctx); return err }, "GET /pre%20fix/api/1/dtabs\nAccept: application/json\nAuthorization: Bearer secret\n"},
		{
			func() error { _, err := c.Get(ctx, "a/b c%20d%zz?#ü@"); return err },
			"GET /pre%20fix/api/1/dtabs/a/b%20c%20d%25zz%3F%23%C3%BC@\nAccept: application/json\nAuthorization: Bearer secret\n",
		},
		{
			func() error { _, err := c.Create(ctx, "ns", d); return err },
			"POST /pre%20fix/api/1/dtabs/ns\nAuthorization: Bearer secret\nContent-Type: application/dtab\nWeft-Author: me\nWeft-Reason: tests\n" +
				"/a=>0.001*/b & 0.999*/c;/d=>0.90*/e & 0.10*/f",
		},
		{
			func() error { _, err := c.Update(ctx, "ns", nil, "\x00\x01"); return err },
			"PUT /pre%20fix/api/1/dtabs/ns\nAuthorization: Bearer secret\nContent-Type: application/dtab\nIf-Match: AAE=\nWeft-Author: me\nWeft-Reason: tests\n",
		},
		{
			func() error { return c.WithNote(namerd.Note{}).Delete(ctx, "ns", "") },
			"DELETE /pre%20fix/api/1/dtabs/ns\nAuthorization: Bearer secret\n",
		},
		{
			func() error { return c.WithNote(namerd.Note{}).Delete(ctx, "ns", "v") },
			"DELETE /pre%20fix/api/1/dtabs/ns\nAuthorization: Bearer secret\nIf-Match: dg==\n",
		},
		{
			func() error { _, err := c.History(ctx, "ns", 7); return err },
			"GET /pre%20fix/api/1/history/ns?limit=7\nAccept: application/json\nAuthorization: Bearer secret\n",
		},
		{
			func() error { _, err := c.Delegate(ctx, "ns", d, dtab.MustPath("/a")); return ignore(err) },
			"GET /pre%20fix/api/1/delegate/ns?dtab=%2Fa%3D%3E0.001%2A%2Fb+%26+0.999%2A%2Fc%3B%2Fd%3D%3E0.90%2A%2Fe+%26+0.10%2A%2Ff&path=%2Fa" +
				"\nAccept: application/json\nAuthorization: Bearer secret\n",
		},
		{ // What does not fit into a line.
			func() error {
				_, err := c.WithNote(namerd.Note{}).Delegate(ctx, "ns", long, dtab.MustPath("/a"))
				return ignore(err)
			},
			"POST /pre%20fix/api/1/delegate/ns?path=%2Fa\nAccept: application/json\nAuthorization: Bearer secret\nContent-Type: application/json\n" +
				`{"dtab":"` + strings.ReplaceAll(long.String(), ">", `\u003e`) + `","namespace":"ns","path":"/a"}`,
		},
	} {
		got = nil
		require.NoError(t, row.do())
		assert.Equal(t, []string{row.want}, got)
	}
}

func TestBaseURLs(t *testing.T) {
	for base, want := range map[string]string{
		"":                    "empty base URL",
		" , ":                 "empty base URL",
		"localhost:4180":      "invalid base URL: localhost:4180: want http://HOST:PORT or https://HOST:PORT",
		"ftp://x":             "invalid base URL: ftp://x: want http://HOST:PORT or https://HOST:PORT",
		"http://a,nonsense":   "invalid base URL: nonsense: want http://HOST:PORT or https://HOST:PORT",
		"http://a:b:c/":       `invalid base URL: parse "http://a:b:c/": invalid port ":b:c" after host`,
		"http://a/?x=y":       "invalid base URL: http://a/?x=y: must not have a query or a fragment",
		"http://user:pw@a/#x": "invalid base URL: http://user:pw@a/#x: must not have a query or a fragment",
	} {
		_, err := client.New(base, client.Options{})
		assert.EqualError(t, err, want, base)
	}
}

func TestNoAnswer(t *testing.T) {
	hang := make(chan struct{})
	base := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	defer close(hang)
	c := open(t, base, client.Options{Timeout: 50 * time.Millisecond})
	_, err := c.List(t.Context())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "no answer within 50ms")
	_, err = c.Put(t.Context(), "x", nil)
	var lost *client.TransportError
	require.ErrorAs(t, err, &lost)
	assert.True(t, lost.Sent)
	require.ErrorContains(t, err, "(it may have been done)")
}

func TestRedirects(t *testing.T) {
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `["redirected"]`)
			return
		}
		b, _ := io.ReadAll(r.Body)
		http.Error(w, r.Method+" "+string(b), http.StatusTeapot)
	})
	code := http.StatusMovedPermanently
	c := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target+r.URL.Path, code)
	}), client.Options{})
	names, err := c.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"redirected"}, names)
	// A write must not become a read.
	_, err = c.Put(t.Context(), "x", dtab.MustParse("/a=>/b"))
	require.ErrorContains(t, err, "301 Moved Permanently: it has moved to "+target+"/api/1/dtabs/x")
	code = http.StatusTemporaryRedirect
	_, err = c.Put(t.Context(), "x", dtab.MustParse("/a=>/b"))
	require.ErrorContains(t, err, "PUT /a=>/b")
}
