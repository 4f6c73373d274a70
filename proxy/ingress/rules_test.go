package ingress_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2/hpack"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/k8s"
	"github.com/weft-mesh/weft/proxy/ingress"
	"github.com/weft-mesh/weft/transport/meshh2"
	"github.com/weft-mesh/weft/transport/meshhttp"
)

// rule makes a rule whose backend is named by the service; pathType is k8s.Exact,
// k8s.Prefix or k8s.ImplementationSpecific.
func rule(host, path string, pathType k8s.PathType, service string) k8s.Rule {
	return k8s.Rule{Host: host, Path: path, PathType: pathType, Backend: backend(service)}
}

func backend(service string) k8s.Backend {
	return k8s.Backend{Namespace: "ns", Service: service, PortName: "http"}
}

func ing(name string, rules ...k8s.Rule) k8s.Ingress {
	return k8s.Ingress{Namespace: "ns", Name: name, Rules: rules}
}

func table(all ...k8s.Ingress) naming.State[k8s.Table] { return naming.Ok(k8s.Table{Ingresses: all}) }

// request is what identifiers look at.
type request struct{ host, uri string }

// both asks the identifiers of both protocols, which must agree, and returns the name
// or the reason.
func both(t *testing.T, r *ingress.Rules, q request) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x/", http.NoBody)
	require.NoError(t, err)
	req.Host, req.RequestURI = q.host, q.uri
	id, err := r.HTTP().Identify(req)
	h1 := text(id.Path, err)
	assert.Empty(t, id.URI)
	p, err := r.H2().Identify(&meshh2.Head{Fields: []hpack.HeaderField{{Name: ":authority", Value: q.host}, {Name: ":path", Value: q.uri}}})
	assert.Equal(t, h1, text(p, err), "h2")
	return h1
}

func text(p dtab.Path, err error) string {
	if err != nil {
		return err.Error()
	}
	return p.String()
}

func rules(t *testing.T, c ingress.Config, s naming.State[k8s.Table]) *ingress.Rules {
	t.Helper()
	r, err := ingress.New(c, weft.Const[naming.State[k8s.Table]]{V: s}, ingress.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	require.Eventually(t, func() bool {
		_, err := r.H2().Identify(&meshh2.Head{})
		var no *meshhttp.NotReadyError
		return !errors.As(err, &no)
	}, 10*time.Second, time.Millisecond)
	return r
}

const none = "no ingress rule matches"

// TestVectors is I11 to I13.
func TestVectors(t *testing.T) {
	spec := k8s.ImplementationSpecific
	back := func(port, service string) k8s.Backend {
		return k8s.Backend{Namespace: "fooNamespace", PortName: port, Service: service}
	}
	def := back("defaultPort", "defaultService")
	foo := k8s.Ingress{Namespace: "fooNamespace", Name: "foo", DefaultBackend: &def, Rules: []k8s.Rule{
		{Host: "foo.bar.com", Path: "/fooPath/.*", PathType: spec, Backend: back("fooPathPort", "fooPathService")},
		{Host: "foo.bar.com", PathType: spec, Backend: back("fooHostPort", "fooHostService")},
	}}
	r := rules(t, ingress.Config{}, table(foo))
	strict := rules(t, ingress.Config{IgnoreDefaultBackends: true}, table(foo))
	for _, row := range []struct {
		by   *ingress.Rules
		q    request
		want string
	}{
		{r, request{"foo.bar.com", "/penguins"}, "/svc/fooNamespace/fooHostPort/fooHostService"},
		{r, request{"foo.bar.com", "/fooPath/penguins"}, "/svc/fooNamespace/fooPathPort/fooPathService"},
		{r, request{"other.com", "/penguins"}, "/svc/fooNamespace/defaultPort/defaultService"},
		{strict, request{"foo.bar.com", "/penguins"}, "/svc/fooNamespace/fooHostPort/fooHostService"},
		{strict, request{"other.com", "/penguins"}, none},
	} {
		assert.Equal(t, row.want, both(t, row.by, row.q), "I11 %v", row.q)
	}

	const yes = "/svc/ns/http/s"
	for _, row := range []struct {
		id         string
		host, path string
		q          request
		want       string
	}{
		{"I12 port", "myhost", "", request{"myhost:80", "/"}, yes},
		{"I12 slash", "", "/", request{"h", "/foo"}, none},
		{"I12 slash itself", "", "/", request{"h", "/"}, yes},
		{"I12 empty", "", "", request{"h", "/foo"}, yes},
		{"I13", "", "/foo/.*", request{"h", "/foo/x"}, yes},
		{"I13 captures", "", "/foo/(.*)", request{"h", "/foo/x"}, none},
		{"I13 not whole", "", "/foo", request{"h", "/foo/x"}, none},
		{"not whole, at the front", "", "foo/x", request{"h", "/foo/x"}, none},
		{"alternatives", "", "/a|/b", request{"h", "/b"}, yes},
		{"alternatives, whole", "", "/a|/b", request{"h", "/bc"}, none},
		{"grouping", "", "/(?:a|b)/c", request{"h", "/b/c"}, yes},
		{"no regular expression", "", "/[", request{"h", "/["}, none},
		{"no query", "", "/foo", request{"h", "/foo?bar"}, yes},
		{"host in another case", "MyHost", "", request{"myhOST", "/"}, yes},
		{"other host", "myhost", "", request{"yourhost", "/"}, none},
		{"host with a final dot", "myhost", "", request{"myhost.:80", "/"}, yes},
		{"IPv6", "", "", request{"[::1]:80", "/"}, yes},
		{"IPv6, a host", "fd00::1", "", request{"[fd00::1]:80", "/"}, yes},
		{"two colons", "a", "", request{"a:b:c", "/"}, none},
		{"no host", "a", "", request{"", "/"}, none},
		{"wildcard", "*.foo.com", "", request{"bar.foo.com", "/"}, yes},
		{"wildcard is one label", "*.foo.com", "", request{"baz.bar.foo.com", "/"}, none},
		{"wildcard is a label", "*.foo.com", "", request{"foo.com", "/"}, none},
		{"wildcard is no empty label", "*.foo.com", "", request{".foo.com", "/"}, none},
	} {
		r := rules(t, ingress.Config{}, table(ing("i", rule(row.host, row.path, spec, "s"))))
		assert.Equal(t, row.want, both(t, r, row.q), row.id)
	}
}

// TestPathTypes is the table of Kubernetes' documentation, and what it leaves open.
func TestPathTypes(t *testing.T) {
	const p, e, s = k8s.Prefix, k8s.Exact, k8s.ImplementationSpecific
	for _, row := range []struct {
		id    string
		rules []k8s.Rule
		want  map[string]string // path: service
	}{
		{"all", []k8s.Rule{rule("", "/", p, "a")}, map[string]string{"/": "a", "/x": "a", "/x/y/": "a"}},
		{"exact", []k8s.Rule{rule("", "/foo", e, "a")}, map[string]string{"/foo": "a", "/bar": "", "/foo/": "", "/FOO": ""}},
		{"exact with slash", []k8s.Rule{rule("", "/foo/", e, "a")}, map[string]string{"/foo": "", "/foo/": "a"}},
		{"prefix", []k8s.Rule{rule("", "/foo", p, "a")}, map[string]string{"/foo": "a", "/foo/": "a", "/foo/x": "a", "/foox": "", "/": ""}},
		{"prefix with slash", []k8s.Rule{rule("", "/foo/", p, "a")}, map[string]string{"/foo": "a", "/foo/": "a", "/foo/x": "a"}},
		{"elements", []k8s.Rule{rule("", "/aaa/bb", p, "a")}, map[string]string{"/aaa/bbb": "", "/aaa/bb": "a", "/aaa/bb/c": "a"}},
		{
			"longest",
			[]k8s.Rule{rule("", "/", p, "a"), rule("", "/aaa", p, "b"), rule("", "/aaa/bbb", p, "c")},
			map[string]string{"/aaa/bbb": "c", "/aaa/bbb/x": "c", "/aaa/ccc": "b", "/ccc": "a"},
		},
		{
			"exact before prefix",
			[]k8s.Rule{rule("", "/foo", p, "a"), rule("", "/foo", e, "b")},
			map[string]string{"/foo": "b", "/foo/": "a", "/foo/x": "a"},
		},
		{"the first of two alike", []k8s.Rule{rule("", "/foo", p, "a"), rule("", "/foo", p, "b")}, map[string]string{"/foo": "a"}},
		{
			"patterns in order",
			[]k8s.Rule{rule("", "/foo/.*", s, "a"), rule("", "/foo/bar/.*", s, "b"), rule("h", "/foo/.*", s, "c")},
			map[string]string{"/foo/bar/x": "a"},
		},
		{
			"patterns in order, of any host",
			[]k8s.Rule{rule("h", "/foo/.*", s, "a"), rule("", "/foo/.*", s, "b")},
			map[string]string{"/foo/bar/x": "a"},
		},
		{
			"pattern as long as a prefix",
			[]k8s.Rule{rule("", "/foo", p, "a"), rule("", "/foo", s, "b")},
			map[string]string{"/foo": "b", "/foo/x": "a"},
		},
		{
			"pattern against prefix",
			[]k8s.Rule{rule("", "/", p, "a"), rule("", "/api/.*", s, "b"), rule("", "/api/v2", p, "c"), rule("", "/api/v1/users", e, "d")},
			map[string]string{"/x": "a", "/api/x": "b", "/api/v2/x": "c", "/api/v1/users": "d"},
		},
		{
			"host first",
			[]k8s.Rule{rule("", "/foo/bar", p, "a"), rule("h", "/", p, "b"), rule("", "/p", s, "c"), rule("h", "/p/.*", s, "d")},
			map[string]string{"/foo/bar": "b", "/p": "b", "/p/x": "d"},
		},
	} {
		r := rules(t, ingress.Config{}, table(ing("i", row.rules...)))
		for path, service := range row.want {
			want := none
			if service != "" {
				want = "/svc/ns/http/" + service
			}
			assert.Equal(t, want, both(t, r, request{"h", path}), "%s: %s", row.id, path)
		}
	}
	hosts := rules(t, ingress.Config{}, table(ing("i", rule("", "/", p, "any"), rule("*.b.c", "/", p, "wild"), rule("a.b.c", "/", p, "exact"))))
	for host, service := range map[string]string{"a.b.c": "exact", "x.b.c": "wild", "b.c": "any", "x.y.b.c": "any"} {
		assert.Equal(t, "/svc/ns/http/"+service, both(t, hosts, request{host, "/x"}))
	}
}

func TestClasses(t *testing.T) {
	annotated := func(class string) k8s.Ingress { return k8s.Ingress{ClassAnnotation: class, HasClassAnnotation: true} }
	named := func(class string) k8s.Ingress { return k8s.Ingress{ClassName: class} }
	both2 := annotated("linkerd")
	both2.ClassName = "nginx"
	for _, row := range []struct {
		id, class, defaultClass string
		i                       k8s.Ingress
		counts                  bool
	}{
		{"I12 nginx", "", "", annotated("nginx"), false},
		{"none", "", "", k8s.Ingress{}, true},
		{"annotation", "", "", annotated("linkerd"), true},
		{"configured", "edge", "", annotated("edge"), true},
		{"not configured", "edge", "", annotated("linkerd"), false},
		{"empty annotation", "", "", annotated(""), false},
		{"class name", "", "", named("linkerd"), true},
		{"other class name", "", "", named("nginx"), false},
		{"the annotation wins", "", "", both2, true},
		{"none, with a default class", "", "nginx", k8s.Ingress{}, false},
		{"none, with this default class", "", "linkerd", k8s.Ingress{}, true},
		{"other default class", "", "nginx", named("linkerd"), true},
	} {
		i := row.i
		i.Rules = []k8s.Rule{rule("", "", k8s.ImplementationSpecific, "s")}
		b := backend("default")
		i.DefaultBackend = &b
		tab := k8s.Table{Ingresses: []k8s.Ingress{i}}
		if row.defaultClass != "" {
			tab.Classes = []k8s.IngressClass{{Name: "x"}, {Name: row.defaultClass, Default: true}}
		}
		want := none
		if row.counts {
			want = "/svc/ns/http/s"
		}
		assert.Equal(t, want, both(t, rules(t, ingress.Config{Class: row.class}, naming.Ok(tab)), request{"h", "/x"}), row.id)
	}
}

func TestNumericPortsAndPrefix(t *testing.T) {
	i := ing("i", k8s.Rule{PathType: k8s.Prefix, Path: "/", Backend: k8s.Backend{Namespace: "n", Service: "s", PortNumber: 8080}})
	r := rules(t, ingress.Config{Prefix: dtab.MustPath("/a/b")}, table(i))
	assert.Equal(t, "/a/b/n/8080/s", both(t, r, request{"h", "/"}))
}

// TestHTTPPaths is about requests that were not read from a connection.
func TestHTTPPaths(t *testing.T) {
	r := rules(t, ingress.Config{}, table(ing("i", rule("", "/a%2Fb", k8s.Exact, "s"))))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x/a%2Fb?q", http.NoBody)
	require.NoError(t, err)
	id, err := r.HTTP().Identify(req)
	assert.Equal(t, "/svc/ns/http/s", text(id.Path, err))
}

// TestTheFirstList: HTTP/1 requests wait for it, in bounds, HTTP/2 ones do not.
func TestTheFirstList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := weft.NewVar(naming.State[k8s.Table]{})
		r, err := ingress.New(ingress.Config{}, src, ingress.Options{})
		require.NoError(t, err)
		defer func() { assert.NoError(t, r.Close()) }()
		ask := func(ctx context.Context) (string, time.Duration) {
			begun := time.Now()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://x/", http.NoBody)
			require.NoError(t, err)
			id, err := r.HTTP().Identify(req)
			if err != nil {
				var no *meshhttp.NotReadyError
				require.ErrorAs(t, err, &no)
				assert.Equal(t, 503, meshhttp.Respond(req, &weft.Error{Stage: weft.StageIdentify, Err: err}, 0).StatusCode)
			}
			return text(id.Path, err), time.Since(begun)
		}
		got, took := ask(t.Context())
		assert.Equal(t, "there is no list of ingresses yet", got)
		assert.Equal(t, 10*time.Second, took)

		src.Store(naming.Failed[k8s.Table](errors.New("403 Forbidden")))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got, took = ask(ctx)
		assert.Equal(t, "there is no list of ingresses yet: 403 Forbidden: context deadline exceeded", got)
		assert.Equal(t, time.Second, took)

		_, err = r.H2().Identify(&meshh2.Head{})
		assert.EqualError(t, err, "there is no list of ingresses yet: 403 Forbidden")
		assert.Equal(t, "503", meshh2.AnswerTo("GET", false, false, &weft.Error{Stage: weft.StageIdentify, Err: err}).Head[0].Value)

		go func() {
			time.Sleep(3 * time.Second)
			src.Store(table(ing("i", rule("", "/", k8s.Prefix, "s"))))
		}()
		got, took = ask(t.Context())
		assert.Equal(t, "/svc/ns/http/s", got)
		assert.Equal(t, 3*time.Second, took)
	})
}

// TestChanges: what changes is seen, and what cannot be used is said once.
func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		src := weft.NewVar(naming.State[k8s.Table]{})
		r, err := ingress.New(ingress.Config{}, src, ingress.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, err)
		defer func() { assert.NoError(t, r.Close()) }()
		put := func(version, path, service string) {
			i := ing("i", rule("", path, k8s.ImplementationSpecific, service), rule("", "/(a)", k8s.ImplementationSpecific, "bad"), rule("", "/[", k8s.ImplementationSpecific, "bad"))
			i.Version = version
			src.Store(table(i))
			synctest.Wait()
		}
		put("1", "/a.*", "one")
		assert.Equal(t, "/svc/ns/http/one", both(t, r, request{"h", "/abc"}))
		assert.Equal(t, 2, strings.Count(log.String(), "level=WARN"), log.String())
		assert.Contains(t, log.String(), "ingress=ns/i version=1")
		assert.Contains(t, log.String(), "capture groups match")
		put("1", "/a.*", "one")
		assert.Equal(t, 2, strings.Count(log.String(), "level=WARN"), "once per version")
		put("2", "/a.*", "two")
		assert.Equal(t, "/svc/ns/http/two", both(t, r, request{"h", "/abc"}))
		assert.Equal(t, 4, strings.Count(log.String(), "level=WARN"))

		s, _ := src.Load()
		s.Err = errors.New("gone")
		src.Store(s)
		synctest.Wait()
		assert.Equal(t, "/svc/ns/http/two", both(t, r, request{"h", "/abc"}), "the last rules stay in force")
		src.Store(table())
		synctest.Wait()
		assert.Equal(t, none, both(t, r, request{"h", "/abc"}))
	})
}

type closableSource struct {
	weft.Const[naming.State[k8s.Table]]
	closed *bool
}

func (c closableSource) Close() error { *c.closed = true; return io.ErrClosedPipe }

func (closableSource) Watches() []naming.WatchStatus {
	return []naming.WatchStatus{{Watching: "ingresses"}}
}

func TestTheSourceIsClosed(t *testing.T) {
	var closed bool
	r, err := ingress.New(ingress.Config{}, closableSource{closed: &closed}, ingress.Options{})
	require.NoError(t, err)
	assert.Len(t, r.HTTP().Watches(), 1)
	assert.ErrorIs(t, r.HTTP().Close(), io.ErrClosedPipe)
	assert.True(t, closed)
	_, err = ingress.New(ingress.Config{}, nil, ingress.Options{})
	assert.EqualError(t, err, "ingress: there is no source of ingresses")
}

// thousandHosts is a table of 1000 hosts with a rule of each type.
func thousandHosts() naming.State[k8s.Table] {
	var all []k8s.Ingress
	for n := range 1000 {
		host := "host" + strconv.Itoa(n) + ".example.com"
		all = append(all, ing(host, rule(host, "/api", k8s.Prefix, "a"), rule(host, "/api/x", k8s.Exact, "b"), rule(host, "/old/[a-z]+", k8s.ImplementationSpecific, "c")))
	}
	return table(all...)
}

func TestMatchingAllocatesNothing(t *testing.T) {
	r := rules(t, ingress.Config{}, thousandHosts())
	head := &meshh2.Head{Fields: []hpack.HeaderField{{Name: ":authority", Value: "host500.example.com:80"}, {Name: ":path", Value: "/api/y/z?q=1"}}}
	id := r.H2()
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := id.Identify(head); err != nil {
			t.Fatal(err)
		}
	}))
}

func BenchmarkMatch(b *testing.B) {
	r, err := ingress.New(ingress.Config{}, weft.Const[naming.State[k8s.Table]]{V: thousandHosts()}, ingress.Options{})
	require.NoError(b, err)
	defer r.Close()
	id := r.H2()
	for _, path := range []string{"/api/y/z", "/old/abc"} {
		head := &meshh2.Head{Fields: []hpack.HeaderField{{Name: ":authority", Value: "host500.example.com:80"}, {Name: ":path", Value: path}}}
		for range 1000 {
			if _, err = id.Identify(head); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		require.NoError(b, err)
		b.Run(path[1:4], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = id.Identify(head)
			}
		})
	}
}

// FuzzIdentify: no request and no rule breaks the identifier, and what matches is
// one of the backends.
func FuzzIdentify(f *testing.F) {
	f.Add("*.foo.com", "/a/.*", "ImplementationSpecific", "a.foo.com:80", "/a/b?c")
	f.Add("foo.com", "/a/", "Prefix", "[::1]:1", "//")
	f.Add("", "", "Exact", "a:b:c", "*")
	f.Fuzz(func(t *testing.T, ruleHost, rulePath, pathType, host, uri string) {
		tab := table(ing("i", rule(ruleHost, rulePath, k8s.PathType(pathType), "s")))
		r, err := ingress.New(ingress.Config{}, weft.Const[naming.State[k8s.Table]]{V: tab}, ingress.Options{})
		require.NoError(t, err)
		defer r.Close()
		req := &http.Request{Host: host, RequestURI: uri}
		if !strings.HasPrefix(uri, "/") {
			return
		}
		id, err := r.HTTP().Identify(req.WithContext(t.Context()))
		if err == nil {
			assert.Equal(t, "/svc/ns/http/s", id.Path.String())
		}
	})
}
