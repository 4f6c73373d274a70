package meshhttp

import (
	"net/http"
	"strconv"
	"strings"
)

// localAnswer is an endpoint that is not there: the mesh answers in its place, as
// for /$/io.buoyant.http.status/401.
type localAnswer string

// Close implements io.Closer.
func (localAnswer) Close() error { return nil }

// roundTrip answers with the status that the endpoint's name asks for, and no
// body.
func (l localAnswer) roundTrip(req *http.Request) (*http.Response, error) {
	code := http.StatusBadGateway
	if text, ok := strings.CutPrefix(string(l), "http.status/"); ok {
		if n, err := strconv.Atoi(text); err == nil && n >= 100 && n <= 599 {
			code = n
		}
	}
	return newResponse(req, code, nil), nil
}
