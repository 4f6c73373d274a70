// Command dtab-update changes the rules of a namerd from Go, and a client that routes
// by that namerd follows.
//
//	go run ./examples/dtab-update
//
// It starts the services and the namerd itself, and prints:
//
//	GET http://users/: hello from users
//	the rules are /svc=>/#/static;/svc/users=>/svc/users-v2
//	GET http://users/: hello from users-v2
//	history: to v2, by deploy; +1 rule
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/client"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerdhttp"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	control, err := startNamerd()
	if err != nil {
		return err
	}
	defer control.close()

	// A client that routes by the namespace "default" of the namerd.
	names, err := namerdhttp.New(namerdhttp.Config{Namespace: "default"}, namerdhttp.Options{Endpoints: control.endpoints})
	if err != nil {
		return err
	}
	defer names.Close() //nolint:errcheck // the program ends
	mesh, err := meshhttp.New(meshhttp.Options{Mesh: transport.Options{Interpreter: names}})
	if err != nil {
		return err
	}
	defer mesh.Close() //nolint:errcheck // the program ends
	web := &http.Client{Transport: mesh}
	body, err := get(ctx, web)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "GET http://users/:", body)

	// The update: ten lines. Edit reads the rules, has them changed, and writes them
	// unless somebody else has done so meanwhile; then it starts again.
	c, err := client.New(control.url, client.Options{Note: namerd.Note{Author: "deploy", Reason: "to v2"}})
	if err != nil {
		return err
	}
	defer c.Close() //nolint:errcheck // the program ends
	now, err := c.Edit(ctx, "default", func(rules dtab.Dtab) (dtab.Dtab, error) {
		return rules.Concat(dtab.MustParse("/svc/users => /svc/users-v2")), nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "the rules are", now.Dtab)

	// The client has been told, and routes by the new rules a moment later.
	bound := names.Bind(ctx, nil, dtab.MustPath("/svc/users"))
	if _, err = weft.Until(ctx, bound, isV2); err != nil {
		return err
	}
	for body != "hello from users-v2" {
		if body, err = get(ctx, web); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "GET http://users/:", body)
	changes, err := c.History(ctx, "default", 2)
	if err != nil {
		return err
	}
	added := len(changes[0].Dtab) - len(changes[1].Dtab)
	fmt.Fprintf(out, "history: %s, by %s; %+d rule\n", changes[0].Reason, changes[0].Author, added)
	return nil
}

func isV2(s naming.State[dtab.Tree[*naming.Bound]]) bool {
	return s.Known && s.Value.Op == dtab.Leaf && s.Value.Value.ID == dtab.MustPath("/#/static/users-v2")
}

func get(ctx context.Context, c *http.Client) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://users/", http.NoBody)
	if err != nil {
		return "", err
	}
	rsp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer rsp.Body.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(rsp.Body)
	return string(b), err
}
