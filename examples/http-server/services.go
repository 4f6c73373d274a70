package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/weft-mesh/weft/telemetry"
)

// shop is the service in the middle. Handing on r.Context() is all that it does for
// the mesh.
func shop(client *http.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := get(r.Context(), client, "http://users/", nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, "shop got: ", body)
	})
}

// whoAmI is the service at the far end. It says what reached it.
func whoAmI(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		deadline, ok := r.Context().Deadline()
		if !ok {
			fmt.Fprintf(w, "I am %s, no deadline", name)
			return
		}
		trace, _ := telemetry.TraceFrom(r.Context())
		fmt.Fprintf(w, "I am %s, %s left, trace %s", name, time.Until(deadline).Round(time.Second), trace.ReqID())
	})
}

// get returns the body of a 200, and an error otherwise.
func get(ctx context.Context, c *http.Client, url string, h http.Header) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	if h != nil {
		req.Header = h
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", url, resp.Status, body)
	}
	return string(body), err
}
