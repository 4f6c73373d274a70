package meshh2

import (
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/transport/http2"
)

// localAnswer is an endpoint that is not there: the mesh answers in its place, as
// for /$/io.buoyant.http.status/401.
type localAnswer string

// Close implements io.Closer.
func (localAnswer) Close() error { return nil }

// answer responds with the status that the endpoint's name asks for, and no body.
func (l localAnswer) answer(on *http2.Conn, a *attempt) {
	code := "502"
	if text, ok := strings.CutPrefix(string(l), "http.status/"); ok {
		if n, err := strconv.Atoi(text); err == nil && n >= 200 && n <= 599 {
			code = strconv.Itoa(n)
		}
	}
	a.respond(on, []hpack.HeaderField{{Name: nameStatus, Value: code}, {Name: nameLength, Value: "0"}}, true)
}
