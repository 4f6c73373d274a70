package tap_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/tap"
)

// event is a request as an adapter tells of it.
func event() *tap.Event {
	return &tap.Event{
		Router: "in", Server: "127.0.0.1:4140", Peer: "10.1.2.3:4567", Protocol: "HTTP/1.1", Method: "GET", Host: "web", Path: "/api/users?id=7",
		Service: "/svc/web", Client: "/#/io.l5d.fs/web", Endpoint: "10.0.0.1:80", Attempts: 2, Status: 503, Class: "failure", LatencyMs: 1.5,
	}
}

func fields(pairs ...string) tap.Fields {
	return func(yield func(string, string) bool) {
		for i := 0; i < len(pairs); i += 2 {
			if !yield(pairs[i], pairs[i+1]) {
				return
			}
		}
	}
}

// watch returns a watcher of what a query says, which ends with the test.
func watch(tb testing.TB, h *tap.Hub, query string) *tap.Watcher {
	tb.Helper()
	q, err := url.ParseQuery(query)
	require.NoError(tb, err)
	o, _, err := tap.ParseQuery(q)
	require.NoError(tb, err)
	w, err := h.Watch(o)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, w.Close()) })
	return w
}

// got returns the event that w has, nil if there is none.
func got(w *tap.Watcher) *tap.Event {
	select {
	case e := <-w.Events():
		return e
	default:
		return nil
	}
}

func TestFilters(t *testing.T) {
	rows := []struct {
		query string
		want  bool
	}{
		{"", true},
		{"router=in", true},
		{"router=out", false},
		{"router=", true},
		{"service=/svc/web", true},
		{"service=/svc", true},
		{"service=/svc/", true},
		{"service=/svc/we", false},
		{"service=/svc/web/x", false},
		{"service=/svc/w*", true},
		{"service=*web", true},
		{"service=/svc/*/x", false},
		{"client=/%23/io.l5d.fs", true},
		{"client=/%23/io.l5d.consul", false},
		{"method=GET", true},
		{"method=get", true},
		{"method=POST", false},
		{"path=/api/users", true},
		{"path=/api", false},
		{"path=/api/*", true},
		{"path=*users", true},
		{"path=*a*i*u*s", true},
		{"path=*x*", false},
		{"path=/api/users%3fid=7", true},
		{"path=/api/users%3fid=8", false},
		{"path=/api/users%3f*", true},
		{"status=503", true},
		{"status=500", false},
		{"status=5xx", true},
		{"status=5XX", true},
		{"status=4xx", false},
		{"status=UNAVAILABLE", false},
		{"header=x-a", true},
		{"header=X-A: one", true},
		{"header=X-A:two", false},
		{"header=X-A: o*", true},
		{"header=X-B", false},
		{"header=X-A&header=accept: *html*", true},
		{"header=X-A&header=X-B", false},
		{"header=authorization", true},
		{"peer=10.1.2.3", true},
		{"peer=10.1.2.3:4567", true},
		{"peer=10.1.2.3:1", false},
		{"peer=10.0.0.0/8", true},
		{"peer=10.2.0.0/16", false},
		{"peer=::1", false},
		{"peer=::ffff:10.1.2.3", true},
		{"router=in&method=GET&status=5xx&service=/svc/web&path=/api/*", true},
		{"router=in&method=GET&status=4xx&service=/svc/web&path=/api/*", false},
	}
	for _, row := range rows {
		t.Run(row.query, func(t *testing.T) {
			var h tap.Hub
			w := watch(t, &h, row.query)
			h.Offer(event(), fields("Accept", "text/html", "X-A", "one", "Authorization", "Bearer x"))
			assert.Equal(t, row.want, got(w) != nil)
			assert.Zero(t, w.Dropped())
		})
	}
}

// TestFilterEdges: callers whose addresses are written in other ways, and statuses beside
// a class.
func TestFilterEdges(t *testing.T) {
	for _, row := range []struct {
		query, peer string
		status      int
		want        bool
	}{
		{"peer=10.0.0.0/8", "[::ffff:10.1.2.3]:4567", 200, true},
		{"peer=10.1.2.3", "10.1.2.3", 200, true},
		{"peer=10.1.2.3:80", "10.1.2.3", 200, false},
		{"peer=fe80::/10", "[fe80::1%eth0]:80", 200, true},
		{"peer=fe80::1%25eth1", "[fe80::1%eth0]:80", 200, true},
		{"peer=10.1.2.3/8", "10.9.9.9:1", 200, true},
		{"peer=10.0.0.0/8", "", 200, false},
		{"peer=10.0.0.0/8", "@", 200, false},
		{"status=5xx", "", 599, true},
		{"status=5xx", "", 600, false},
		{"status=5xx", "", 499, false},
		{"status=4xx", "", 400, true},
		{"status=5xx", "", 0, false},
	} {
		var h tap.Hub
		w := watch(t, &h, row.query)
		e := event()
		e.Peer, e.Status = row.peer, row.status
		h.Offer(e, nil)
		assert.Equal(t, row.want, got(w) != nil, "%+v", row)
	}
}

func TestFilterOfGRPC(t *testing.T) {
	var h tap.Hub
	yes, no := watch(t, &h, "status=unavailable"), watch(t, &h, "status=NOT_FOUND")
	e := event()
	e.Status, e.GRPCStatus, e.Peer = 200, tap.GRPCStatusName(14), ""
	h.Offer(e, nil)
	assert.NotNil(t, got(yes))
	assert.Nil(t, got(no))
	assert.Equal(t, "17", tap.GRPCStatusName(17))
}

func TestParseQuery(t *testing.T) {
	o, limit, err := tap.ParseQuery(url.Values{"rate": {"2.5"}, "limit": {"7"}})
	require.NoError(t, err)
	assert.Equal(t, tap.WatchOptions{Rate: 2.5}, o)
	assert.Equal(t, 7, limit)

	rows := map[string]string{
		"service=web":                  `tap: service "web": want a name or the beginning of one`,
		"client=x":                     `tap: client "x": want a name`,
		"method=GE T":                  `tap: method "GE T": want a method`,
		"path=api":                     `tap: path "api": want a path that begins with / or *`,
		"status=99":                    `tap: status "99": want a status such as 404, a class such as 5xx, or a gRPC status such as UNAVAILABLE`,
		"status=0xx":                   `tap: status "0xx": want`,
		"status=5x":                    `tap: status "5x": want`,
		"header=:x":                    `tap: header ":x": want a header's name, or 'name: value'`,
		"header=a b":                   `tap: header "a b": want`,
		"header=Authorization: Bearer": `tap: header "Authorization: Bearer": this header has credentials, which are not compared: give its name only`,
		"peer=somebody":                `tap: peer "somebody": want an IP address`,
		"peer=10.0.0.0/99":             `tap: peer "10.0.0.0/99": want`,
		"rate=0":                       `tap: rate "0": want events per second, more than 0 and at most 1000`,
		"rate=1001":                    `tap: rate "1001": want`,
		"rate=NaN":                     `tap: rate "NaN": want`,
		"rate=fast":                    `tap: rate "fast": want`,
		"limit=-1":                     `tap: limit "-1": want a number of events, or 0 for no limit`,
		"limit=x":                      `tap: limit "x": want`,
		"colour=red":                   `tap: unknown parameter "colour": want router, service,`,
		"router=a&router=b":            `tap: router: it is given 2 times`,
	}
	for query, want := range rows {
		q, err := url.ParseQuery(query)
		require.NoError(t, err)
		_, _, err = tap.ParseQuery(q)
		assert.ErrorContains(t, err, want, query)
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{"path=/a*b*&status=5xx", "header=a: *&peer=10.0.0.0/8", "service=/svc/*&method=GET"} {
		f.Add(s, "/a/b?c", "value")
	}
	f.Fuzz(func(t *testing.T, query, path, value string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		o, _, err := tap.ParseQuery(q)
		if err != nil {
			return
		}
		var h tap.Hub
		w, err := h.Watch(o)
		require.NoError(t, err)
		defer func() { require.NoError(t, w.Close()) }()
		h.Offer(&tap.Event{Path: path, Service: path, Peer: value}, fields("a", value))
	})
}
