package k8s_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/servers"
	"github.com/weft-mesh/weft/internal/storetest"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/k8s"
	"github.com/weft-mesh/weft/naming"
	kube "github.com/weft-mesh/weft/naming/k8s"
)

var (
	one = dtab.MustParse("/svc => /#/io.l5d.fs;/svc/a=>3 * /b & 1 * /c")
	two = dtab.MustParse("/svc=>/two")
)

const dtabs = "/apis/l5d.io/v1alpha1/namespaces/default/dtabs"

// TestObjects is what kubectl and namerd 1.7.5 find and leave in the cluster.
func TestObjects(t *testing.T) {
	t.Parallel()
	server := servers.StartKube(t, servers.KubeOptions{})
	g := startGateway(t, server)
	s, ctx := open(t, g.config(t)), t.Context()

	// Without the kind nothing is known, and it is said what to do.
	web, names := s.Observe(ctx, "web"), s.Namespaces(ctx)
	await(t, func() bool {
		a, _ := web.Load()
		b, _ := names.Load()
		return errors.Is(a.Err, k8s.ErrNoKind) && !a.Known && errors.Is(b.Err, k8s.ErrNoKind) && !b.Known
	})
	st, _ := web.Load()
	require.ErrorContains(t, st.Err, "deploy/kubernetes/dtab-crd.yaml")
	_, err := s.List(ctx)
	require.ErrorIs(t, err, k8s.ErrNoKind)
	_, err = s.Put(ctx, "web", one, namerd.Note{})
	require.ErrorIs(t, err, k8s.ErrNoKind)

	// With the kind it goes on.
	define(t, server)
	await(t, func() bool {
		a, _ := web.Load()
		b, _ := names.Load()
		return a.Known && a.Err == nil && !a.Value.Exists && b.Known && b.Err == nil && len(b.Value) == 0
	})
	v, err := s.Create(ctx, "web", one, namerd.Note{Author: "me", Reason: "why"})
	require.NoError(t, err)
	status, body := server.Do(http.MethodGet, dtabs+"/web", nil)
	require.Equal(t, http.StatusOK, status)
	var o struct {
		Kind     string `json:"kind"`
		Metadata struct {
			ResourceVersion string            `json:"resourceVersion"`
			Labels          map[string]string `json:"labels"`
		} `json:"metadata"`
		Dentries []map[string]string `json:"dentries"`
		Other    json.RawMessage     `json:"other"`
	}
	require.NoError(t, json.Unmarshal(body, &o))
	assert.Equal(t, "DTab", o.Kind)
	assert.Equal(t, string(v), o.Metadata.ResourceVersion)
	assert.Equal(t, []map[string]string{
		{"prefix": "/svc", "dst": "/#/io.l5d.fs"}, {"prefix": "/svc/a", "dst": "3.00*/b & /c"},
	}, o.Dentries)

	// What others write counts, and what weft does not know stays.
	server.Apply(`{apiVersion: l5d.io/v1alpha1, kind: DTab, metadata: {name: web, labels: {team: a}}, other: {n: 12345678901234567890},
dentries: [{prefix: /svc, dst: /three}]}`)
	await(t, func() bool { a, _ := web.Load(); return text(a.Value) == "/svc=>/three" && a.Err == nil })
	_, err = s.Update(ctx, "web", two, v, namerd.Note{})
	require.ErrorIs(t, err, namerd.ErrMismatch)
	v, err = s.Put(ctx, "web", two, namerd.Note{Author: "you"})
	require.NoError(t, err)
	_, body = server.Do(http.MethodGet, dtabs+"/web", nil)
	require.NoError(t, json.Unmarshal(body, &o))
	assert.Equal(t, "a", o.Metadata.Labels["team"])
	assert.JSONEq(t, `{"n": 12345678901234567890}`, string(o.Other))
	changes, err := s.History(ctx, "web", 10)
	require.NoError(t, err)
	require.Len(t, changes, 2)
	assert.Equal(t, v, changes[0].Version)
	assert.Equal(t, namerd.Note{Author: "me", Reason: "why"}, changes[1].Note)

	// An object that is no dtab.
	server.Apply(`{apiVersion: l5d.io/v1alpha1, kind: DTab, metadata: {name: bad}, dentries: [{prefix: svc, dst: /three}]}`)
	// Whoever observes it before it is seen sees first that there is none.
	await(t, func() bool { a, _ := names.Load(); return a.Err == nil && strings.Join(a.Value, ",") == "bad,web" })
	bad := s.Observe(ctx, "bad")
	await(t, func() bool { a, _ := bad.Load(); return a.Err != nil })
	st, _ = bad.Load()
	assert.False(t, st.Known)
	require.ErrorContains(t, st.Err, `dentries[0]: prefix: "svc"`)
	_, err = s.Get(ctx, "bad")
	require.ErrorContains(t, err, `dentries[0]: prefix: "svc"`)
	_, err = s.Get(ctx, "web")
	require.NoError(t, err)
	_, err = s.Put(ctx, "bad", one, namerd.Note{})
	require.NoError(t, err)
	await(t, func() bool { a, _ := bad.Load(); return a.Err == nil && text(a.Value) == one.String() })

	// A table for people.
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL+dtabs, nil)
	require.NoError(t, err)
	req.Header.Set("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	var table struct {
		Rows []struct {
			Cells []any `json:"cells"`
		} `json:"rows"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&table))
	require.Len(t, table.Rows, 2)
	t.Log(table.Rows)
	assert.Contains(t, fmt.Sprint(table.Rows[0].Cells), "/svc")
}

// TestPermissions has users with a role, with one that reads, with none, and nobody.
func TestPermissions(t *testing.T) {
	t.Parallel()
	server := servers.StartKube(t, servers.KubeOptions{RBAC: true, Users: map[string]string{
		"writer-token": "writer", "reader-token": "reader", "other-token": "other",
	}})
	define(t, server)
	for user, verbs := range map[string]string{"writer": "get, list, watch, create, update, delete", "reader": "get, list, watch"} {
		server.Apply(fmt.Sprintf(`
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: %[1]s, namespace: default}
rules: [{apiGroups: [l5d.io], resources: [dtabs], verbs: [%[2]s]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: %[1]s, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: %[1]s}
subjects: [{kind: User, name: %[1]s}]
`, user, verbs))
	}
	as := func(token string) *k8s.Store {
		a := access(server)
		a.Token = token
		return open(t, k8s.Config{Access: a})
	}
	ctx, writer, reader, other, nobody := t.Context(), as("writer-token"), as("reader-token"), as("other-token"), as("wrong")
	var v namerd.Version
	await(t, func() (ok bool) { // roles take a moment
		var err error
		v, err = writer.Create(ctx, "web", one, namerd.Note{})
		return err == nil
	})
	v, err := writer.Update(ctx, "web", two, v, namerd.Note{})
	require.NoError(t, err)
	web := reader.Observe(ctx, "web")
	await(t, func() bool { a, _ := web.Load(); return a.Err == nil && text(a.Value) == two.String() })
	got, err := reader.Get(ctx, "web")
	require.NoError(t, err)
	assert.Equal(t, v, got.Version)
	for _, err := range []error{
		failure(reader.Put(ctx, "web", one, namerd.Note{})), failure(reader.Create(ctx, "new", one, namerd.Note{})),
		reader.Delete(ctx, "web", "", namerd.Note{}), failure(other.Get(ctx, "web")), failure(other.List(ctx)),
		failure(other.Put(ctx, "web", one, namerd.Note{})),
	} {
		require.ErrorIs(t, err, namerd.ErrForbidden)
	}
	web, names := other.Observe(ctx, "web"), nobody.Namespaces(ctx)
	await(t, func() bool {
		a, _ := web.Load()
		b, _ := names.Load()
		return errors.Is(a.Err, namerd.ErrForbidden) && !a.Known && b.Err != nil && !b.Known
	})
	b, _ := names.Load()
	require.ErrorContains(t, b.Err, "credentials are wrong or have expired")
	_, err = nobody.List(ctx)
	require.ErrorContains(t, err, "credentials are wrong or have expired")
	require.NoError(t, writer.Delete(ctx, "web", v, namerd.Note{}))
}

func failure[T any](_ T, err error) error { return err }

// TestUnknownOutcome loses writes, and answers to them.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	server := servers.StartKube(t, servers.KubeOptions{})
	define(t, server)
	g := startGateway(t, server)
	s, plain, ctx := open(t, g.config(t)), open(t, k8s.Config{Access: access(server)}), t.Context()
	for ns, f := range map[string]fault{"passed": notAnswered, "lost": notPassed} {
		lost := g.lost
		g.once(f, nil)
		v, err := s.Create(ctx, ns, one, namerd.Note{})
		require.NoError(t, err)
		g.once(f, nil)
		v, err = s.Update(ctx, ns, two, v, namerd.Note{})
		require.NoError(t, err)
		got, err := plain.Get(ctx, ns)
		require.NoError(t, err)
		require.Equal(t, got.Version, v)
		require.Equal(t, two.String(), got.Dtab.String())
		changes, err := s.History(ctx, ns, 10)
		require.NoError(t, err)
		require.Len(t, changes, 2, "made once each")
		g.once(f, nil)
		err = s.Delete(ctx, ns, v, namerd.Note{})
		if f == notAnswered {
			require.ErrorContains(t, err, "not known whether")
			require.NotErrorIs(t, err, namerd.ErrMissing)
		} else {
			require.NoError(t, err)
		}
		got, err = plain.Get(ctx, ns)
		require.NoError(t, err)
		require.False(t, got.Exists)
		require.Equal(t, lost+3, g.lost)
	}
	// Others write before it is asked whether the write was made.
	for _, others := range []int{2, 20} {
		ns := fmt.Sprint("others-", others)
		v, err := s.Create(ctx, ns, one, namerd.Note{})
		require.NoError(t, err)
		var mine namerd.Version
		g.once(notAnswered, func() {
			st, err := plain.Get(ctx, ns)
			assert.NoError(t, err)
			mine = st.Version
			for range others {
				_, err := plain.Put(ctx, ns, one, namerd.Note{})
				assert.NoError(t, err)
			}
		})
		got, err := s.Update(ctx, ns, two, v, namerd.Note{})
		if others < 10 {
			require.NoError(t, err)
			require.Equal(t, mine, got)
			continue
		}
		require.ErrorContains(t, err, "not known whether")
		require.NotErrorIs(t, err, namerd.ErrMismatch)
	}
}

// TestOutage is what observers see of a server that goes away, and forgets versions
// meanwhile.
func TestOutage(t *testing.T) {
	t.Parallel()
	server := servers.StartKube(t, servers.KubeOptions{})
	define(t, server)
	s, ctx := open(t, k8s.Config{Access: access(server)}), t.Context()
	v, err := s.Create(ctx, "web", one, namerd.Note{})
	require.NoError(t, err)
	web, names := s.Observe(ctx, "web"), s.Namespaces(ctx)
	await(t, func() bool {
		a, _ := web.Load()
		b, _ := names.Load()
		return a.Known && b.Known
	})
	end := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		for {
			a, newer := web.Load()
			b, newerNames := names.Load()
			if !assert.True(t, a.Known && a.Value.Exists && b.Known && len(b.Value) == 1, "taken away: %+v %+v", a, b) {
				return
			}
			select {
			case <-newer:
			case <-newerNames:
			case <-end:
				return
			}
		}
	})
	for i, compact := range []bool{false, true} {
		server.Kill()
		await(t, func() bool {
			a, _ := web.Load()
			b, _ := names.Load()
			return a.Err != nil && b.Err != nil
		})
		if compact {
			server.Compact()
		}
		server.Start()
		back := time.Now()
		v, err = s.Update(ctx, "web", dtab.MustParse(fmt.Sprint("/svc=>/", i)), v, namerd.Note{})
		require.NoError(t, err)
		await(t, func() bool {
			a, _ := web.Load()
			b, _ := names.Load()
			return a.Err == nil && a.Value.Version == v && b.Err == nil
		})
		t.Logf("right %v after it was back", time.Since(back))
	}
	close(end)
	done.Wait()
}

// TestNobodyThere has reads and writes end although there is no server.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	s, err := k8s.New(k8s.Config{Host: "127.0.0.1", Port: 1}, k8s.Options{Patience: 300 * time.Millisecond})
	require.NoError(t, err)
	defer s.Close()
	_, err = s.List(t.Context())
	require.ErrorContains(t, err, "connection refused")
	_, err = s.Put(t.Context(), "web", one, namerd.Note{})
	require.ErrorContains(t, err, "connection refused")
	web := s.Observe(t.Context(), "web")
	await(t, func() bool { st, _ := web.Load(); return st.Err != nil && !st.Known })
}

// TestConfig has configurations that are refused.
func TestConfig(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		c    k8s.Config
		want string
	}{
		"default":           {k8s.Config{}, ""},
		"namespace":         {k8s.Config{Namespace: "a/b"}, `"a/b" is not the name`},
		"port":              {k8s.Config{Port: 70000}, "port 70000"},
		"two servers":       {k8s.Config{Host: "a", Access: &kube.Access{URL: "https://b"}}, "give one of them"},
		"URL that is none":  {k8s.Config{Access: &kube.Access{URL: "ftp://b"}}, "is not the URL"},
		"URL":               {k8s.Config{Access: &kube.Access{URL: "https://b"}}, ""},
		"namespace of ours": {k8s.Config{Namespace: "linkerd-1"}, ""},
	} {
		s, err := k8s.New(test.c, k8s.Options{})
		if test.want == "" {
			require.NoError(t, err, name)
			require.NoError(t, s.Close())
			continue
		}
		assert.ErrorContains(t, err, test.want, name)
	}
}

// TestConcurrentWithFaults has many write, with requests and answers lost all the time.
func TestConcurrentWithFaults(t *testing.T) {
	server := servers.StartKube(t, servers.KubeOptions{})
	define(t, server)
	g := startGateway(t, server)
	n := 0
	g.on(func(r *http.Request) fault {
		if r.Method == http.MethodGet {
			return none
		}
		switch n++; {
		case n%14 == 0:
			return notPassed
		case n%7 == 0:
			return notAnswered
		default:
			return none
		}
	}, nil)
	storetest.Harness{
		History: 10,
		Open: func(t *testing.T) namerd.Store {
			t.Helper()
			return open(t, g.config(t))
		},
	}.Concurrent(t, storetest.Load{Handles: 2, Writers: 20, Writes: 100})
	g.mu.Lock()
	defer g.mu.Unlock()
	assert.Greater(t, g.lost, 10)
}

var _ naming.Reporter = (*k8s.Store)(nil)
