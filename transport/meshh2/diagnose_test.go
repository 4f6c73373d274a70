package meshh2_test

import (
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestV132Diagnostics(t *testing.T) {
	const block = `
--- Router: r1 ---
request duration: 0 ms
service name: /svc/dog
client name: /#/w/dog
addresses: [10.0.0.1:80]
selected address: 10.0.0.1:80
dtab resolution:
  /svc/dog
  /#/w/dog (/svc=>/#/w)

`
	rows := []struct {
		hops, add string
		forwarded string // max-forwards at the endpoint; "-": the header is absent; "": not forwarded
		status    string
		body      string
	}{
		{hops: "x", status: "400", body: "Invalid value for max-forwards header"},
		{hops: "0", status: "200"},
		{hops: "0", add: "1", status: "200", body: block},
		{hops: "2", forwarded: "1", status: "202", body: "hi"},
		{hops: "2", add: "true", forwarded: "1", status: "202", body: "hi" + block},
		{add: "T", forwarded: "-", status: "202", body: "hi" + block},
		{forwarded: "-", status: "202", body: "hi"},
		{hops: "-1", add: "1", forwarded: "-1", status: "202", body: "hi"},
	}
	for _, row := range rows {
		t.Run(row.hops+" "+row.add, func(t *testing.T) {
			inWorld(t, setup{}, func(w *world) {
				w.serve("dog", func(rw http.ResponseWriter, r *http.Request) {
					want := []string{row.forwarded}
					if row.forwarded == "-" {
						want = nil
					}
					assert.Equal(t, want, r.Header["Max-Forwards"])
					rw.Header()["Content-Length"] = []string{"2"}
					rw.WriteHeader(http.StatusAccepted)
					_, _ = io.WriteString(rw, "hi")
				})
				req, err := http.NewRequestWithContext(w.t.Context(), http.MethodTrace, "http://dog/", nil)
				require.NoError(t, err)
				if row.hops != "" {
					req.Header.Set("Max-Forwards", row.hops)
				}
				if row.add != "" {
					req.Header.Set("L5d-Add-Context", row.add)
				}
				resp, err := w.http().Do(req)
				require.NoError(t, err)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, row.status, strconv.Itoa(resp.StatusCode))
				assert.Equal(t, row.body, string(body))
				assert.Empty(t, resp.Header.Get("L5d-Err"))
			})
		})
	}
}
