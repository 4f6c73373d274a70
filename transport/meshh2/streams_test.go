package meshh2_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	xhttp2 "golang.org/x/net/http2"

	"github.com/weft-mesh/weft/telemetry"
	"github.com/weft-mesh/weft/transport"
	"github.com/weft-mesh/weft/transport/meshh2"
)

// summary returns what a stat below rt/r1 holds.
func (w *world) summary(elems ...string) telemetry.Summary {
	return w.tree.Scope("rt", "r1").Stat(elems...).Live()
}

// control-plane §7.5: what there is of streams. The client counts attempts, the
// server requests.
func TestStreamMetrics(t *testing.T) {
	s := services(transport.ServiceOptions{}, meshh2.ServiceSettings{Classifier: meshh2.All})
	inWorld(t, setup{service: s}, func(w *world) {
		ds := w.raw("dog")
		c := w.caller()
		c.request(1, false, "POST", "dog")
		ds.peer().got()
		c.data(1, false, "four")
		c.data(1, true, "seven77")
		ds.peer().respond(1, true, "500")
		ds.peer().respond(3, false, "200")
		ds.peer().data(3, false, "woof")
		assert.Equal(t, 1, w.server("open_streams"))
		assert.Equal(t, 1, w.client("dog", "open_streams"))
		ds.peer().fields(3, true, "x", "y")
		c.got()
		c.request(3, false, "POST", "dog")
		ds.peer().got()
		ds.peer().respond(5, false, "200")
		c.got()
		c.reset(3, xhttp2.ErrCodeCancel)

		client := []string{"client", "#/w/dog"}
		server := []string{"server", "10.9.9.9/4142"}
		for _, row := range []struct {
			want  int
			scope []string
			elems []string
		}{
			{3, client, []string{"requests"}},
			{1, client, []string{"success"}},
			{1, client, []string{"failures"}},
			{2, server, []string{"requests"}},
			{1, server, []string{"success"}},
			{0, client, []string{"open_streams"}},
			{0, server, []string{"open_streams"}},
			{3, client, []string{"stream", "local", "data", "frames"}}, // two, and again in one
			{2, server, []string{"stream", "remote", "data", "frames"}},
			{1, client, []string{"stream", "remote", "trailers"}},
			{1, server, []string{"stream", "local", "trailers"}},
			{1, client, []string{"stream", "local", "reset"}},
			{0, client, []string{"stream", "remote", "reset"}},
			{1, server, []string{"stream", "remote", "reset"}},
			{0, server, []string{"stream", "local", "reset"}},
			{2, client, []string{"request", "stream", "stream_success"}},
			{1, client, []string{"request", "stream", "stream_failures"}},
			{2, client, []string{"response", "stream", "stream_success"}},
			{1, client, []string{"response", "stream", "stream_failures"}},
			{2, client, []string{"stream", "stream_success"}},
			{1, client, []string{"stream", "stream_failures"}},
			{1, server, []string{"request", "stream", "stream_success"}},
			{1, server, []string{"request", "stream", "stream_failures"}},
			{1, server, []string{"response", "stream", "stream_success"}},
			{1, server, []string{"stream", "stream_success"}},
			{1, server, []string{"stream", "stream_failures"}},
		} {
			at := append(append([]string{}, row.scope...), row.elems...)
			assert.Equal(t, row.want, w.count(at...), at)
		}
		assert.Equal(t, 1, w.service("dog", "retries", "total"))
		for _, row := range []struct {
			count, sum int64
			elems      []string
		}{
			{2, 11, append(server, "stream", "remote", "data", "bytes")},
			{3, 22, append(client, "stream", "local", "data", "bytes")},
			{2, 11, append(server, "request", "stream", "data_bytes")},
			{3, 22, append(client, "request", "stream", "data_bytes")},
			{3, 4, append(client, "response", "stream", "data_bytes")},
			{3, 26, append(client, "stream", "data_bytes")},
			{3, 0, append(client, "stream", "total_latency_ms")},
			{2, 0, append(server, "request", "stream", "stream_duration_ms")},
		} {
			got := w.summary(row.elems...)
			assert.EqualValues(t, row.count, got.Count, row.elems)
			assert.EqualValues(t, row.sum, got.Sum, row.elems)
		}
	})
}
