package meshhttp

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReplayKeepsWhatASupersededReaderGets: an attempt has ended while it waits for
// the caller. What then comes belongs to the next attempt, be it more than is kept
// otherwise.
func TestReplayKeepsWhatASupersededReaderGets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		r := newReplay(&http.Request{Body: pr}, 4, true)
		first := r.next(nil)
		failed := make(chan error)
		go func() {
			_, err := io.ReadAll(first)
			failed <- err
		}()
		synctest.Wait()
		require.True(t, r.freeze())
		go func() {
			_, _ = io.WriteString(pw, "longer than is kept")
			_, _ = io.WriteString(pw, ", and more")
			_ = pw.Close()
		}()
		require.ErrorIs(t, <-failed, errSuperseded)
		got, err := io.ReadAll(r.next(nil))
		require.NoError(t, err)
		assert.Equal(t, "longer than is kept, and more", string(got))
		assert.False(t, r.freeze(), "now a part of it is lost")
		_, err = r.again(nil)
		require.ErrorIs(t, err, errTooLong)
		_, err = io.ReadAll(r.next(nil))
		require.ErrorIs(t, err, errTooLong, "and nobody gets a body with a hole")
		r.close()
	})
}

// TestFreezeStopsReading: after an attempt has ended nothing more of the source is
// read on its account.
func TestFreezeStopsReading(t *testing.T) {
	src := &http.Request{Body: io.NopCloser(errReader{t})}
	r := newReplay(src, 4, false)
	v := r.next(nil)
	require.True(t, r.freeze())
	_, err := v.Read(make([]byte, 1))
	require.ErrorIs(t, err, errSuperseded)
}

type errReader struct{ t *testing.T }

func (r errReader) Read([]byte) (int, error) {
	r.t.Error("the source was read")
	return 0, io.EOF
}

// TestShortBodiesInMemoryAreOffered to the engine, which then needs no goroutine for
// them; others are left where they are.
func TestShortBodiesInMemoryAreOffered(t *testing.T) {
	rows := map[string]struct {
		body  io.Reader
		limit int
		want  bool
	}{
		"bytes":            {strings.NewReader("hello"), 100, true},
		"a stream":         {io.MultiReader(strings.NewReader("hello")), 100, false},
		"not kept":         {strings.NewReader("hello"), 4, false},
		"longer than that": {strings.NewReader(strings.Repeat("x", eagerBytes+1)), 1 << 20, false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://web/", row.body)
			require.NoError(t, err)
			if req.ContentLength == 0 {
				req.ContentLength = 5
			}
			r := newReplay(req, row.limit, true)
			r.load()
			for range 2 { // an attempt, and another one
				v, ok := r.next(nil).(*replayView)
				require.True(t, ok)
				mem, whole := v.Buffered()
				assert.Equal(t, row.want, whole)
				if row.want {
					assert.Equal(t, "hello", string(mem))
					require.True(t, r.freeze())
					_, whole = v.Buffered()
					assert.False(t, whole, "a view that was superseded")
				}
			}
		})
	}
}
