package consul_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/consul"
	"github.com/weft-mesh/weft/naming"
)

// TestRequests is what the agent is asked, in which mode, and with which headers.
func TestRequests(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, fmt.Sprintf("%s %s token=%s", r.Method, r.URL, r.Header.Get("X-Consul-Token")))
		mu.Unlock()
		w.Header().Set("X-Consul-Index", "5")
		if r.Method == http.MethodPut {
			w.WriteHeader(http.StatusConflict)
			fmt.Fprint(w, `{"Errors":[{"OpIndex":0,"What":"Permission denied: token lacks permission 'key:write' on \"x\""}]}`)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	defer agent.Close()
	addr := agent.Listener.Addr().String()
	for _, tt := range []struct {
		c    consul.Config
		want []string
	}{
		{consul.Config{}, []string{
			"GET /v1/kv/namerd/dtabs/?consistent=true&keys=true&separator=%2F token=",
			"GET /v1/kv/namerd/dtabs/.none?consistent=true token=",
			"GET /v1/kv/namerd/dtabs/a?consistent=true token=",
			"GET /v1/kv/namerd/history/a/head?consistent=true token=",
			"PUT /v1/txn token=",
		}},
		{consul.Config{Token: "secret", Datacenter: "dc 2", ReadConsistencyMode: "stale", WriteConsistencyMode: "consistent"}, []string{
			"GET /v1/kv/namerd/dtabs/?dc=dc+2&keys=true&separator=%2F&stale=true token=secret",
			"GET /v1/kv/namerd/dtabs/.none?dc=dc+2&stale=true token=secret",
			"GET /v1/kv/namerd/dtabs/a?consistent=true&dc=dc+2 token=secret",
			"GET /v1/kv/namerd/history/a/head?consistent=true&dc=dc+2 token=secret",
			"PUT /v1/txn?consistent=true&dc=dc+2 token=secret",
		}},
	} {
		seen = nil
		s := open(t, at(t, addr, tt.c), consul.Options{})
		list, err := s.List(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{}, list)
		_, err = s.Create(t.Context(), "a", nil, namerd.Note{})
		require.ErrorIs(t, err, namerd.ErrForbidden)
		assert.Equal(t, tt.want, seen)
	}
}

// TestAnswersThatAreNone is that what is not Consul's word is not believed.
func TestAnswersThatAreNone(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"404 of somebody else": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"not JSON": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Consul-Index", "5")
			fmt.Fprint(w, "<html>")
		},
		"index": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Consul-Index", "x") },
		"trouble": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "No cluster leader", http.StatusInternalServerError)
		},
		"filtered": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Consul-Results-Filtered-By-ACLs", "true")
		},
	} {
		t.Run(name, func(t *testing.T) {
			agent := httptest.NewServer(answer)
			defer agent.Close()
			s := open(t, at(t, agent.Listener.Addr().String(), consul.Config{FailFast: true}), consul.Options{})
			_, err := s.List(t.Context())
			require.Error(t, err)
			_, err = s.Get(t.Context(), "a")
			require.Error(t, err)
			_, err = s.Put(t.Context(), "a", nil, namerd.Note{})
			require.Error(t, err)
			st := state(t, s.Namespaces(t.Context()), func(st naming.State[[]string]) bool { return !st.Pending() })
			require.Error(t, st.Err)
			assert.False(t, st.Known)
		})
	}
}

func TestConfigurations(t *testing.T) {
	for text, c := range map[string]consul.Config{
		`port: 70000: want 1 to 65535`:                                 {Port: 70000},
		`readConsistencyMode: "x": want default, stale or consistent`:  {ReadConsistencyMode: "x"},
		`writeConsistencyMode: "x": want default, stale or consistent`: {WriteConsistencyMode: "x"},
		`backoff: from 2s to 1s`:                                       {Backoff: consul.Backoff{Min: 2 * time.Second, Max: time.Second}},
	} {
		_, err := consul.New(c, consul.Options{})
		require.ErrorContains(t, err, text)
	}
	s, err := consul.New(consul.Config{}, consul.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
