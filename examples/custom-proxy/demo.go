package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// demo runs the proxy and calls users through it while services.json changes.
func demo(ctx context.Context, out io.Writer) error {
	one, two := service("one"), service("two")
	defer one.Close()
	defer two.Close()

	dir, err := os.MkdirTemp("", "custom-proxy-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	services, file := filepath.Join(dir, "services.json"), filepath.Join(dir, "weft.yaml")
	yaml := strings.Replace(example, "services.json", services, 1)
	err = errors.Join(os.WriteFile(file, []byte(yaml), 0o600), write(services, list(one)))
	if err != nil {
		return err
	}

	p, err := newProxy(file)
	if err != nil {
		return err
	}
	addrs, err := p.Start()
	if err != nil {
		return err
	}
	err = talk(ctx, out, addrs.Servers["http"][0], services, list(two))
	p.Shutdown(time.Second)
	return errors.Join(err, p.Wait(ctx))
}

// talk is the part that a user of the proxy sees.
func talk(ctx context.Context, out io.Writer, addr, services, changed string) error {
	body, err := get(ctx, addr, "users")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "users is", body)

	if err := write(services, changed); err != nil {
		return err
	}
	for before := body; body == before && err == nil; time.Sleep(5 * time.Millisecond) {
		body, err = get(ctx, addr, "users")
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "the file changed: users is", body)

	if err := write(services, "{"); err != nil {
		return err
	}
	time.Sleep(50 * time.Millisecond) // more than the poll interval: it has been seen
	if body, err = get(ctx, addr, "users"); err != nil {
		return err
	}
	fmt.Fprintln(out, "the file is broken: users is", body)

	if err := write(services, changed); err != nil {
		return err
	}
	_, err = get(ctx, addr, "nobody")
	fmt.Fprintln(out, "nobody:", err)
	return nil
}

func service(name string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) }))
}

func list(users *httptest.Server) string {
	return fmt.Sprintf("{\"users\": [%q]}\n", users.Listener.Addr())
}

// write replaces a file in one step, so that nobody sees half of it.
func write(file, text string) error {
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// get asks the proxy at addr for a service: the Host header is its name.
func get(ctx context.Context, addr, name string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/", nil)
	if err != nil {
		return "", err
	}
	req.Host = name
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		return "", errors.New(resp.Status)
	}
	return string(body), err
}
