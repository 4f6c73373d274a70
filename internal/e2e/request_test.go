package e2e_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// call is a request to be made.
type call struct {
	method, url, body string
	header            http.Header
}

// reply is a response that has been read.
type reply struct {
	status int
	header http.Header
	body   string
}

// get returns a GET; headers are "Name: value", and Host may be among them.
func get(url string, headers ...string) call { return request("GET", url, headers...) }

func request(method, url string, headers ...string) call {
	c := call{method: method, url: url, header: http.Header{}}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		c.header.Add(name, value)
	}
	return c
}

// plain makes each request on a connection of its own and leaves bodies as they
// are.
var plain = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}

// try makes a request.
func try(c call) (reply, error) { return c.with(plain) }

func (c call) with(client *http.Client) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, c.method, c.url, strings.NewReader(c.body))
	if err != nil {
		return reply{}, err
	}
	req.Header = c.header.Clone()
	if h := req.Header.Get("Host"); h != "" {
		req.Host = h
		req.Header.Del("Host")
	}
	resp, err := client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(body)}, err
}

// do makes a request that must get a response.
func do(t *testing.T, c call) reply {
	t.Helper()
	r, err := try(c)
	require.NoError(t, err)
	return r
}
