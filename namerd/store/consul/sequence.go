package consul

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"github.com/weft-mesh/weft/namerd"
)

// sequence knows what revisions are counted in: Consul has no name for it that a token
// for keys could read, so the first store that is used makes one and leaves it in a key.
// It is safe for concurrent use.
type sequence struct {
	mu       sync.Mutex
	known    bool
	name     string
	setBacks int
}

// of returns the name, empty if there is none and the token does not let one be made.
func (q *sequence) of(ctx context.Context, s *Store) (string, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.known {
		name, err := s.readSequence(ctx)
		if err != nil {
			return "", err
		}
		if name != q.name {
			q.name, q.setBacks = name, 0
		}
		q.known = true
	}
	if q.name == "" || q.setBacks == 0 {
		return q.name, nil
	}
	return q.name + "." + strconv.Itoa(q.setBacks), nil
}

// setBack notes that the servers have gone back to an earlier state.
func (q *sequence) setBack() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.known = false
	q.setBacks++
}

// readSequence reads the key, which it makes if there is none.
func (s *Store) readSequence(ctx context.Context) (string, error) {
	key := s.history + ".sequence"
	for {
		p, _, err := s.client.one(ctx, key, ConsistencyConsistent.params())
		switch {
		case reasonOf(err) == namerd.ErrForbidden: //nolint:errorlint // it is the sentinel itself
			return "", nil
		case err != nil:
			return "", err
		case p.ModifyIndex != 0:
			return string(p.Value), nil
		}
		// The answer says whether another one was faster, which the next reading shows.
		_, err = s.client.do(ctx, http.MethodPut, "/v1/kv/"+escaped(key), url.Values{"cas": {"0"}}, []byte(rand.Text()))
		switch {
		case reasonOf(err) == namerd.ErrForbidden: //nolint:errorlint // it is the sentinel itself
			return "", nil
		case err != nil:
			return "", err
		}
	}
}
