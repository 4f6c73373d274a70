package meshh2

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft/transport/http2"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

const (
	nameHops       = "max-forwards"
	nameAddContext = "l5d-add-context"
)

// diagnosis is what TRACE asks of this hop: max-forwards says how many hops pass the
// request on, and l5d-add-context asks every one of them to tell where it sent it.
type diagnosis struct {
	steps []string // how the name became the client
}

// diagnose answers TRACE or passes it on.
func (a *attempt) diagnose(on *http2.Conn) {
	x := a.x
	add, forward := false, true
	switch strings.ToLower(x.req.Get(nameAddContext)) {
	case "1", "t", "true":
		add = true
	}
	if v, ok := x.req.Lookup(nameHops); ok {
		n, err := strconv.Atoi(v)
		if err != nil {
			a.answer(on, "400", "Invalid value for max-forwards header")
			return
		}
		forward, add = n != 0, add && n >= 0
		if n > 0 && a.n == 0 { // later attempts find it counted down
			x.req.Set(nameHops, strconv.Itoa(n-1))
		}
	}
	switch {
	case add:
		a.awaitSteps(forward)
	case forward:
		a.connect(on)
	default:
		a.answer(on, "200", "")
	}
}

// awaitSteps asks the naming how it came to its result, where it may take its time.
func (a *attempt) awaitSteps(forward bool) {
	x := a.x
	var d diagnosis
	id := a.pick.Client.ID()
	x.park(a,
		func(ctx context.Context) { d.steps = meshhttp.Resolution(ctx, x.r.router, x.dest, id) },
		func(stale bool) {
			switch a.diagnosis = &d; {
			case stale:
			case forward:
				a.connect(nil)
			default:
				a.answer(nil, "200", "")
			}
		})
}

// answer responds in the endpoint's place.
func (a *attempt) answer(on *http2.Conn, status, text string) {
	a.depart()
	head := []hpack.HeaderField{{Name: nameStatus, Value: status}}
	if text == "" && a.diagnosis == nil {
		a.respond(on, append(head, hpack.HeaderField{Name: nameLength, Value: "0"}), true)
		return
	}
	a.respond(on, append(head, hpack.HeaderField{Name: nameType, Value: "text/plain"}), false)
	if !a.over {
		a.last(on, []byte(text), nil, false)
	}
}

// text is what this hop knows of the request.
func (d *diagnosis) text(a *attempt) string {
	x, client := a.x, a.pick.Client
	var b strings.Builder
	fmt.Fprintf(&b, "\n--- Router: %s ---\nrequest duration: %d ms\nservice name: %s\nclient name: %s\naddresses: [%s]\nselected address: %s\ndtab resolution:\n",
		x.r.router.Options().Label, (x.elapsed() - a.since).Milliseconds(), x.dest.Path(), client.ID(),
		strings.Join(client.Addrs(), ", "), a.pick.Endpoint.Addr())
	for _, step := range d.steps {
		b.WriteString("  " + step + "\n")
	}
	return b.String() + "\n"
}
