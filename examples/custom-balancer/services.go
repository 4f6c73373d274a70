package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/weft-mesh/weft/proxy"
	"github.com/weft-mesh/weft/proxy/config"
)

// services are the two endpoints of users. They say in arrived which of them a request
// has come to, and answer those for /held when they are told to.
type services struct {
	near, far *httptest.Server
	arrived   chan string
	release   chan struct{}
}

func newServices() *services {
	s := &services{arrived: make(chan string, 1), release: make(chan struct{})}
	start := func(name string) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case s.arrived <- name:
			case <-r.Context().Done():
			}
			if r.URL.Path == "/held" {
				<-s.release
			}
		}))
	}
	s.near, s.far = start("near"), start("far")
	return s
}

func (s *services) close() {
	close(s.release) // whoever is still held when something went wrong
	s.near.Close()
	s.far.Close()
}

// measure sends ten requests one after the other, and nine that wait for each other.
func (s *services) measure(ctx context.Context, out io.Writer, what string, c *http.Client) error {
	got := map[string]int{}
	for range 10 {
		if err := get(ctx, c, "http://users/"); err != nil {
			return err
		}
		got[<-s.arrived]++
	}
	fmt.Fprintf(out, "%s, one after the other: %d near, %d far\n", what, got["near"], got["far"])

	clear(got)
	ended := make(chan error, 9)
	for range cap(ended) {
		go func() { ended <- get(ctx, c, "http://users/held") }()
		select {
		case name := <-s.arrived:
			got[name]++
		case err := <-ended:
			return errors.Join(errors.New("a request came back too soon"), err)
		}
	}
	var err error
	for range cap(ended) {
		s.release <- struct{}{}
		err = errors.Join(err, <-ended)
	}
	fmt.Fprintf(out, "%s, 9 at once: %d near, %d far\n", what, got["near"], got["far"])
	return err
}

// get sends a request and wants a 200.
func get(ctx context.Context, c *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		return errors.Join(errors.New(resp.Status), err)
	}
	return nil
}

// serve runs the proxy of a configuration until stop is called.
func serve(cfg *config.Linker) (addr string, stop func() error, err error) {
	p, err := proxy.New(cfg, proxy.Options{})
	if err != nil {
		return "", nil, err
	}
	addrs, err := p.Start()
	if err != nil {
		return "", nil, err
	}
	stop = func() error {
		p.Shutdown(time.Second)
		return p.Wait(context.Background())
	}
	return addrs.Servers["http"][0], stop, nil
}
