package global_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/global"
)

// says returns a resolver whose endpoints tell what it was asked.
func says(kind string) global.Resolve {
	return func(_ context.Context, host, port string) weft.Source[naming.State[weft.EndpointSet]] {
		set := weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: kind + " " + host + ":" + port}}}
		return weft.Const[naming.State[weft.EndpointSet]]{V: naming.Ok(set)}
	}
}

func newNamer() *global.Namer {
	return global.New(global.Options{Inet: says("inet"), FixedInet: says("fixed")})
}

// ask returns what the namer says about the name, as text.
func ask(t *testing.T, n naming.Namer, name string) string {
	t.Helper()
	s, stale := n.Lookup(t.Context(), dtab.MustPath(name)).Load()
	assert.Nil(t, stale, "answers never change")
	if s.Err != nil {
		return "Failed(" + s.Err.Error() + ")"
	}
	require.True(t, s.Known)
	return show(t, s.Value)
}

func show(t *testing.T, tree dtab.Tree[naming.Name]) string {
	t.Helper()
	switch tree.Op {
	case dtab.Neg:
		return "Neg"
	case dtab.Fail:
		return "Fail"
	case dtab.Empty:
		return "Empty"
	case dtab.Leaf:
	default:
		t.Fatalf("unexpected node %v", tree.Op)
	}
	b := tree.Value.Bound
	if b == nil {
		return tree.Value.Path.String()
	}
	text := "L(" + b.ID.String()
	if !b.Residual.IsEmpty() {
		text += " + " + b.Residual.String()
	}
	text += ")"
	set, _ := b.Addrs(t.Context()).Load()
	for _, e := range set.Value.Endpoints {
		text += " " + e.Addr
	}
	return text
}

func TestNames(t *testing.T) {
	a63, a64 := strings.Repeat("a", 63), strings.Repeat("a", 64)
	for _, tt := range []struct{ id, name, want string }{
		{"B37", "/$/fail", "Fail"},
		{"B37", "/$/fail/x", "Fail"},
		{"B37", "/$/nil", "Empty"},
		{"B37", "/$/nil/x", "Empty"},
		{"B39", "/$/inet/1.2.3.4/80/x", "L(/$/inet/1.2.3.4/80 + /x) inet 1.2.3.4:80"},
		{"B40", "/$/inet/8080", "L(/$/inet/8080) inet :8080"},
		{"B40", "/$/inet/8080/9090/r", "L(/$/inet/8080/9090 + /r) inet 8080:9090"},
		{"B41", "/$/inet/1234/foobar", "L(/$/inet/1234 + /foobar) inet :1234"},
		{"B43", "/$/inet/h/-1", "L(/$/inet/h/-1) inet h:-1"},
		{"B43", "/$/inet/h/080", "L(/$/inet/h/080) inet h:080"},
		{"B43", "/$/inet/99999999999", "Failed(Unknown namer: inet for path: /$/inet/99999999999)"},
		{"", `/$/inet/h/\x2b80`, `L(/$/inet/h/\x2b\x38\x30) inet h:+80`},
		{"", "/$/inet/h/2147483648", "Failed(Unknown namer: inet for path: /$/inet/h/2147483648)"},
		{"", "/$/inet/h/1_0", "Failed(Unknown namer: inet for path: /$/inet/h/1_0)"},
		{"", "/$/inet", "Failed(Unknown namer: inet for path: /$/inet)"},
		{"", "/$/inet/h/http", "Failed(Unknown namer: inet for path: /$/inet/h/http)"},
		{"", "/$/fixedinet/h/80/r", "L(/$/fixedinet/h/80 + /r) fixed h:80"},
		{"", "/$/fixedinet/80/r", "L(/$/fixedinet/80 + /r) fixed :80"},
		{"", "/$/fixedinet/h", "Failed(Unknown namer: fixedinet for path: /$/fixedinet/h)"},
		{"B44", "/$/nosuch/a", "Failed(Unknown namer: nosuch for path: /$/nosuch/a)"},
		{"B45", "/$/nosuch", "Failed(Unknown namer: nosuch for path: /$/nosuch)"},
		{"B46", "/$", "Neg"},
		{"B46", "/", "Neg"},
		{"", "/web/inet/80", "Neg"},
		{"B46", "/$/nilx", "Failed(Unknown namer: nilx for path: /$/nilx)"},
		{"B46", "/$/failx", "Failed(Unknown namer: failx for path: /$/failx)"},

		{"U01", "/$/io.buoyant.hostportPfx/ia/127.1:8080/etc", "/ia/127.1/8080/etc"},
		{"U02", "/$/io.buoyant.hostportPfx/ia/google.com:http/etc", "/ia/google.com/http/etc"},
		{"U04", "/$/io.buoyant.hostportPfx/ia/h:HTTP", "Neg"},
		{"U04", "/$/io.buoyant.hostportPfx/ia/h:-80", "Neg"},
		{"U04", "/$/io.buoyant.hostportPfx/ia/h:a_b", "Neg"},
		{"U05", "/$/io.buoyant.hostportPfx/ia/h:80-", "/ia/h/80-"},
		{"U06", "/$/io.buoyant.hostportPfx/ia/h:" + a63, "/ia/h/" + a63},
		{"U06", "/$/io.buoyant.hostportPfx/ia/h:" + a64, "Neg"},
		{"U07", "/$/io.buoyant.hostportPfx/ia/:80", "Failed(global: io.buoyant.hostportPfx: dtab: path element 1 of 2 is empty: requirement failed)"},
		{"", "/$/io.buoyant.hostportPfx/ia/h:", "Neg"},
		{"", "/$/io.buoyant.hostportPfx/ia/h", "Neg"},
		{"", "/$/io.buoyant.hostportPfx/ia/h:1:2", "Neg"},
		{"", "/$/io.buoyant.hostportPfx/ia/h:80:", "/ia/h/80"},
		{"", "/$/io.buoyant.hostportPfx/ia", "Neg"},
		{"", "/$/io.buoyant.hostportPfx", "Neg"},
		{"U08", "/$/io.buoyant.porthostPfx/ia/127.1:8080/etc", "/ia/8080/127.1/etc"},
		{"U09", "/$/io.buoyant.http.anyMethod/GET/foo", "/foo"},
		{"U09", "/$/io.buoyant.http.anyMethod/GETX", "/"},
		{"U09", "/$/io.buoyant.http.anyMethod/get/foo", "Neg"},
		{"U09", "/$/io.buoyant.http.anyMethod/A.B/foo", "Neg"},
		{"", "/$/io.buoyant.http.anyMethod", "Neg"},
		{"", "/$/io.buoyant.http.anyMethodPfx/pfx/POST/foo", "/pfx/foo"},
		{"", "/$/io.buoyant.http.anyMethodPfx/pfx", "Neg"},
		{"U11", "/$/io.buoyant.http.anyHost/a.b/foo", "/foo"},
		{"U11", "/$/io.buoyant.http.anyHost/a%b/foo", "Neg"},
		{"U12", "/$/io.buoyant.http.anyHostPfx/foo/a.b:80/bar", "/foo/bar"},
		{"U13", "/$/io.buoyant.http.subdomainOf/a.b/foo.a.b/bar", "/foo/bar"},
		{"U13", "/$/io.buoyant.http.subdomainOf/a.b/a.b/bar", "Neg"},
		{"U14", "/$/io.buoyant.http.subdomainOf/a.b/x.y.a.b:99", "/x.y"},
		{"", "/$/io.buoyant.http.subdomainOf/a%b/x.a%b", "Neg"},
		{"U15", "/$/io.buoyant.http.subdomainOfPfx/a.b/foo/bar_suffix.a.b/bah", "/foo/bar_suffix/bah"},
		{"U15", "/$/io.buoyant.http.subdomainOfPfx/a.b/foo/bar.a.b:9090/bah", "/foo/bar/bah"},
		{"U16", "/$/io.buoyant.http.subdomainOfPfx/a.b/foo/BAR.A.B", "Neg"},
		{"U16", "/$/io.buoyant.http.subdomainOfPfx/a.b/foo/.a.b", "Neg"},
		{"U16", "/$/io.buoyant.http.subdomainOfPfx/a.b/foo/bar.c.d/bah", "Neg"},
		{"", "/$/io.buoyant.http.domainToPath/a.b.c/r", "/c/b/a/r"},
		{"U18", "/$/io.buoyant.http.domainToPathPfx/pfx/foo.buoyant.io:80/x", "/pfx/io:80/buoyant/foo/x"},
		{"U19", "/$/io.buoyant.http.domainToPathPfx/pfx/...", "/pfx"},
		{"U19", "/$/io.buoyant.http.domainToPathPfx/pfx/foo.", "/pfx/foo"},
		{"U19", "/$/io.buoyant.http.domainToPathPfx/pfx", "Neg"},
		{"U20", "/$/io.buoyant.http.domainToPathPfx/pfx/.foo", "Failed(global: io.buoyant.http.domainToPathPfx: dtab: path element 2 of 2 is empty: requirement failed)"},
		{"U20", "/$/io.buoyant.http.domainToPathPfx/pfx/a..b", "Failed(global: io.buoyant.http.domainToPathPfx: dtab: path element 2 of 3 is empty: requirement failed)"},
		{"U21", "/$/io.buoyant.rinet/12345/localhost/residual", "L(/$/io.buoyant.rinet/12345/localhost + /residual) inet localhost:12345"},
		{"", "/$/io.buoyant.rinet/http/localhost", "L(/$/io.buoyant.rinet/http/localhost) inet localhost:http"},
		{"", "/$/io.buoyant.rinet/80", "Neg"},
		{"U22", "/$/io.buoyant.http.status/401/foo", "L(/$/io.buoyant.http.status/401 + /foo) http.status/401"},
		{"U22", "/$/io.buoyant.http.status/foo/x", "Neg"},
		{"U22", "/$/io.buoyant.http.status", "Neg"},
		{"", "/$/io.buoyant.http.status/99", "Neg"},
		{"", "/$/io.buoyant.http.status/600", "Neg"},
		{"", "/$/io.buoyant.namer.zk.leader/h:1/p", "Failed(global: io.buoyant.namer.zk.leader: this utility namer is not built yet)"},
		{"", "/$/com.twitter.serverset/h/p", "Failed(global: com.twitter.serverset: this utility namer is not built yet)"},
		{"", "/$/com.twitter.finagle.namer.global/$/inet/h/80", "L(/$/inet/h/80) inet h:80"},
		{"", "/$/com.twitter.finagle.namer.global/$/nosuch", "Failed(Unknown namer: nosuch for path: /$/nosuch)"},
		{"", "/$/com.twitter.finagle.namer.global/foo", "Neg"},
		{"", "/$/com.twitter.finagle.namer.global", "Neg"},
	} {
		assert.Equal(t, tt.want, ask(t, newNamer(), tt.name), "%s %s", tt.id, tt.name)
	}
}

func TestStatusIsALocalEndpoint(t *testing.T) {
	s, _ := newNamer().Lookup(t.Context(), dtab.MustPath("/$/io.buoyant.http.status/0401")).Load()
	set, stale := s.Value.Value.Bound.Addrs(t.Context()).Load()
	assert.Equal(t, naming.Ok(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "http.status/401", Local: "http.status/401"}}}), set)
	assert.Nil(t, stale)
}

func TestErrorsCanBeTold(t *testing.T) {
	failure := func(name string) error {
		s, _ := newNamer().Lookup(t.Context(), dtab.MustPath(name)).Load()
		assert.False(t, s.Known)
		return s.Err
	}
	var unknown *global.UnknownClassError
	require.ErrorAs(t, failure("/$/nosuch/a"), &unknown)
	assert.Equal(t, "nosuch", unknown.Class)
	assert.Equal(t, dtab.MustPath("/$/nosuch/a"), unknown.Path)
	require.ErrorIs(t, failure("/$/com.twitter.serverset/a"), global.ErrNotBuilt)
	require.ErrorIs(t, failure("/$/io.buoyant.hostportPfx/ia/:80"), dtab.ErrEmptyElement)
}

func TestWithoutResolverAddressesFail(t *testing.T) {
	for _, name := range []string{"/$/inet/h/80", "/$/fixedinet/80", "/$/io.buoyant.rinet/80/h"} {
		s, _ := global.New(global.Options{}).Lookup(t.Context(), dtab.MustPath(name)).Load()
		require.True(t, s.Known, name)
		set, _ := s.Value.Value.Bound.Addrs(t.Context()).Load()
		assert.ErrorIs(t, set.Err, global.ErrNoResolver, name)
	}
}

func TestFixedInetDefaultsToInet(t *testing.T) {
	assert.Equal(t, "L(/$/fixedinet/h/80) inet h:80", ask(t, global.New(global.Options{Inet: says("inet")}), "/$/fixedinet/h/80"))
}

func TestFurtherClasses(t *testing.T) {
	n := global.New(global.Options{Classes: map[string]naming.Namer{
		"com.twitter.serverset": naming.NamerFunc(func(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
			return naming.AnswerErr(errors.New("asked for " + p.String()))
		}),
	}})
	assert.Equal(t, "Failed(asked for /h/p)", ask(t, n, "/$/com.twitter.serverset/h/p"))
}

func Example() {
	n := global.New(global.Options{}) // Inet: the method Resolve of an inet.Resolver
	for _, name := range []string{"/$/nil", "/$/io.buoyant.http.domainToPathPfx/web/www.example.com", "/$/nosuch/a"} {
		s, _ := n.Lookup(context.Background(), dtab.MustPath(name)).Load()
		switch {
		case s.Err != nil:
			fmt.Println(s.Err)
		case s.Value.Op == dtab.Leaf:
			fmt.Println(s.Value.Value.Path)
		default:
			fmt.Println(s.Value.Op == dtab.Empty)
		}
	}
	// Output:
	// true
	// /web/com/example/www
	// Unknown namer: nosuch for path: /$/nosuch/a
}
