package http1_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/internal/attacks"
	"github.com/weft-mesh/weft/transport/http1"
)

// TestSmuggling has every attack refused, or understood in the one way that there is, and
// nothing after a refusal taken for a request.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	list := attacks.Requests()
	assert.GreaterOrEqual(t, len(list), 120)
	for _, a := range list {
		for _, recycle := range []bool{false, true} {
			t.Run(a.ID+" "+strconv.FormatBool(recycle), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					seen, statuses := attempt(t, a.Send, recycle)
					assert.Equal(t, a.Seen, seen, a.Source)
					assert.Equal(t, a.Statuses, statuses, a.Source)
				})
			})
		}
	}
}

// attempt sends text and returns the requests that were whole and the statuses that came.
func attempt(t *testing.T, text string, recycle bool) (seen []string, statuses []int) {
	t.Helper()
	s := newServer(t, http1.ServerOptions{Recycle: recycle}, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http1.StatusOf(err))
			return
		}
		one := r.Method + " " + r.RequestURI + " " + r.Host + " " + string(body)
		for name, values := range r.Trailer {
			one += " " + name + "=" + strings.Join(values, ",")
		}
		seen = append(seen, one)
	})
	defer s.Close()
	c := dial(t, s)
	c.send(text)
	require.NoError(t, c.CloseWrite())
	for {
		resp, err := http.ReadResponse(c.br, nil)
		if err != nil {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			return seen, statuses
		}
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		statuses = append(statuses, resp.StatusCode)
	}
}
