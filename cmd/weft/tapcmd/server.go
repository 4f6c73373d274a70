package tapcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// server is an admin server.
type server struct{ addr string }

// timeout is how long the server may take to answer, or to begin to.
const timeout = 10 * time.Second

func (s *server) flag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.addr, "admin", "127.0.0.1:9990", "`host:port` of the admin server, or its URL")
}

// do asks for a page and returns its body if the answer is 200, whatever time that takes.
func (s *server) do(ctx context.Context, method, path string, query url.Values) (io.ReadCloser, error) {
	base := strings.TrimSuffix(s.addr, "/")
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	target := base + path
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(query.Encode())
	} else if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, fmt.Errorf("--admin %s: want host:port or a URL", s.addr)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	rt, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("net/http has another transport")
	}
	rt = rt.Clone()
	rt.ResponseHeaderTimeout, rt.DisableKeepAlives, rt.Proxy = timeout, true, nil
	resp, err := (&http.Client{Transport: rt}).Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("there is no admin server at %s: %w", s.addr, cause(err))
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()                                 //nolint:errcheck // what matters was read
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // what there is of it
	return nil, fmt.Errorf("%s%s: %s: %s", s.addr, path, resp.Status, strings.TrimSpace(string(text)))
}

// get reads a page of JSON.
func (s *server) get(ctx context.Context, path string, query url.Values, into any) error {
	body, err := s.do(ctx, http.MethodGet, path, query)
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // what matters was read
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return fmt.Errorf("%s%s: %w", s.addr, path, err)
	}
	return nil
}

// cause is the error without the URL, which says no more than the flag.
func cause(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// values returns the parameters that are not empty.
func values(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}
