package meshhttp

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

const (
	maxTraced   = 1 << 20         // of the body that the context is appended to
	explainTime = 2 * time.Second // for naming to say how it came to its result
)

// diagnose answers TRACE: Max-Forwards says how many hops pass the request on, and
// l5d-add-context asks every hop to tell where it sent it.
func (a *attempt) diagnose(req *http.Request, up upstream) (*http.Response, error) {
	add := false
	switch strings.ToLower(req.Header.Get(headerAddContext)) {
	case "1", "t", "true":
		add = true
	}
	hops, forward := a.x.hops, true
	if hops != "" {
		n, err := strconv.Atoi(hops)
		if err != nil { // the caller's mistake is an answer, not an error
			return textResponse(req, http.StatusBadRequest, "Invalid value for Max-Forwards header", false), nil //nolint:nilerr // see above
		}
		forward = n != 0
		if n > 0 {
			req.Header["Max-Forwards"] = []string{strconv.Itoa(n - 1)}
		}
		add = add && n >= 0
	}

	begun := time.Now()
	resp := newResponse(req, http.StatusOK, nil)
	if forward {
		var err error
		if resp, err = up.send(req, &a.sending); err != nil || !add {
			return resp, err
		}
		resp = detach(resp)
	}
	if !add {
		return resp, nil
	}
	text, err := bodyOf(resp)
	if err != nil {
		return nil, err
	}
	text += "\n\n" + a.context(req.Context(), time.Since(begun))
	resp.Body = io.NopCloser(strings.NewReader(text))
	resp.ContentLength = int64(len(text))
	resp.TransferEncoding, resp.Trailer = nil, nil
	resp.Header["Content-Length"] = []string{strconv.Itoa(len(text))}
	return resp, nil
}

// detach returns a response that outlives its body.
func detach(resp *http.Response) *http.Response {
	out := *resp
	out.Header, out.Trailer = resp.Header.Clone(), resp.Trailer.Clone()
	return &out
}

// bodyOf returns the body that the context is appended to; one of unknown length
// is replaced by a description of the response.
func bodyOf(resp *http.Response) (string, error) {
	defer resp.Body.Close() //nolint:errcheck // read to its end, or given up
	if resp.ContentLength >= 0 {
		b, err := io.ReadAll(io.LimitReader(resp.Body, maxTraced))
		return strings.TrimSpace(string(b)), err
	}
	drain(resp)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		for _, v := range resp.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	fmt.Fprintf(&b, "HTTP %d - %s\nDiagnostic trace encountered chunked response. Response content discarded.",
		resp.StatusCode, http.StatusText(resp.StatusCode))
	return b.String(), nil
}

// context is what this hop knows of the request.
func (a *attempt) context(ctx context.Context, took time.Duration) string {
	dest, client := a.x.dest, a.pick.Client
	var b strings.Builder
	fmt.Fprintf(&b, "--- Router: %s ---\nrequest duration: %d ms\nservice name: %s\nclient name: %s\naddresses: [%s]\nselected address: %s\ndtab resolution:\n",
		a.x.t.router.Options().Label, took.Milliseconds(), dest.Path(), client.ID(), strings.Join(client.Addrs(), ", "), a.pick.Endpoint.Addr())
	for _, step := range Resolution(ctx, a.x.t.router, dest, client.ID()) {
		b.WriteString("  " + step + "\n")
	}
	return b.String()
}

// stepsTo returns the steps from d to the leaf bound to id: every name, with the
// rule that led to it.
func stepsTo(d *naming.Delegation, id dtab.Path) ([]string, bool) {
	step := d.Path.String()
	switch {
	case d.Kind == naming.KindTransformation:
		step += " (" + d.Name + ")"
	case d.Dentry != nil:
		step += " (" + d.Dentry.String() + ")"
	}
	if d.Kind == naming.KindLeaf && d.Bound != nil && d.Bound.ID == id {
		return []string{step}, true
	}
	for i := range d.Kids {
		if rest, ok := stepsTo(&d.Kids[i], id); ok {
			return append([]string{step}, rest...), true
		}
	}
	return []string{step}, false
}
