package global_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// bind returns what path is bound to under the rules, as text. /#/n binds its
// first segment.
func bind(t *testing.T, rules, path string) string {
	t.Helper()
	n := naming.NamerFunc(func(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
		id := dtab.MustPath("/#/n").Concat(p.Take(1))
		return naming.Answer(dtab.LeafOf(naming.Fixed(id, p.Drop(1), weft.EndpointSet{})))
	})
	in := naming.NewInterpreter(naming.Options{
		Namers: naming.Namers{{Prefix: dtab.MustPath("/#/n"), Namer: n}},
		Global: newNamer(),
	})
	defer func() { assert.NoError(t, in.Close()) }()
	s, _ := in.Bind(t.Context(), dtab.MustParse(rules), dtab.MustPath(path)).Load()
	if s.Err != nil {
		return "Failed(" + s.Err.Error() + ")"
	}
	return show(t, dtab.Map(s.Value, func(b *naming.Bound) naming.Name { return naming.Name{Bound: b} }))
}

func TestBinding(t *testing.T) {
	for _, tt := range []struct{ id, rules, path, want string }{
		{"B37", "/svc=>/$/fail", "/svc/x", "Fail"},
		{"B37", "/svc=>/$/nil", "/svc/x", "Empty"},
		{"B38", "/svc=>~ | /$/fail | /#/n/web", "/svc", "Fail"},
		{"B38", "/svc=>/$/nil | /$/fail | /#/n/web", "/svc", "Empty"},
		{"B39", "/svc=>/$/inet/1.2.3.4/80", "/svc/x", "L(/$/inet/1.2.3.4/80 + /x) inet 1.2.3.4:80"},
		{"B40", "/svc=>/$/inet", "/svc/8080", "L(/$/inet/8080) inet :8080"},
		{"B40", "/svc=>/$/inet", "/svc/8080/9090/r", "L(/$/inet/8080/9090 + /r) inet 8080:9090"},
		{"B41", "", "/$/inet/1234/foobar", "L(/$/inet/1234 + /foobar) inet :1234"},
		{"B44", "/svc=>/$/nosuch", "/svc/a", "Failed(Unknown namer: nosuch for path: /$/nosuch/a)"},
		{"B45", "", "/$/nosuch", "Failed(Unknown namer: nosuch for path: /$/nosuch)"},
		{"B46", "", "/$", "Neg"},
		{"B46", "", "/", "Neg"},
		{"B47", "/$/inet=>/#/n", "/$/inet/web", "L(/#/n/web)"},
		{"U23", "/ph=>/$/io.buoyant.rinet;/svc=>/ph/80;/svc=>/$/io.buoyant.porthostPfx/ph", "/svc/foo.com:8080", "L(/$/io.buoyant.rinet/8080/foo.com) inet foo.com:8080"},
		{"U23", "/ph=>/$/io.buoyant.rinet;/svc=>/ph/80;/svc=>/$/io.buoyant.porthostPfx/ph", "/svc/foo.com", "L(/$/io.buoyant.rinet/80/foo.com) inet foo.com:80"},
		{"U25", "/host=>/#/n;/svc=>/$/io.buoyant.http.anyMethodPfx/host", "/svc/GET/web/r", "L(/#/n/web + /r)"},
	} {
		assert.Equal(t, tt.want, bind(t, tt.rules, tt.path), tt.id)
	}
}
