package naming_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// TestFollowingEqualsBindingAnew changes the answers of random trees of names at
// random. What a binding has followed its way to must be what a new binding
// finds, and it must keep alive the look-ups that the new one needs.
func TestFollowingEqualsBindingAnew(t *testing.T) {
	names := []string{"/#/a/p", "/#/a/q", "/#/a/r", "/#/a/s"}
	expr := rapid.Custom(func(rt *rapid.T) string { return randomTree(rt, append(names, "~", "!", "$", "/x", "/y"), 3) })
	rapid.Check(t, func(rt *rapid.T) {
		rules := "/y=>" + randomTree(rt, append(names, "~"), 2) + ";/x=>" + randomTree(rt, append(names, "/y"), 2) + ";/svc=>" + expr.Draw(rt, "dst")
		type change struct {
			name string
			kind int
		}
		changes := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) change {
			return change{rapid.SampledFrom(names).Draw(rt, "name"), rapid.IntRange(0, 7).Draw(rt, "kind")}
		}), 1, 20).Draw(rt, "changes")
		var problem string
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer w.close()
			local := dtab.MustParse(rules)
			followed := w.in.Bind(t.Context(), local, path("/svc"))
			first, _ := followed.Load()
			known := first.Known
			for i, c := range changes {
				w.board.put(path(c.name), someAnswer(c.name, c.kind))
				settle()
				alive := fmt.Sprint(w.board.looking())
				ctx, cancel := context.WithCancel(t.Context())
				fresh, _ := w.in.Bind(ctx, local, path("/svc")).Load()
				settle()
				needed := strings.ReplaceAll(fmt.Sprint(w.board.looking()), " x2", " x1")
				cancel()
				settle()
				got, _ := followed.Load()
				known = known || fresh.Known
				switch {
				case alive != needed:
					problem = fmt.Sprintf("change %d: look-ups %v are alive and %v are needed", i, alive, needed)
				case fresh.Known && showState(got) != showState(fresh):
					problem = fmt.Sprintf("change %d: followed %s, anew %s", i, showState(got), showState(fresh))
				case !fresh.Known && got.Known != known:
					problem = fmt.Sprintf("change %d: what was known is lost: %s", i, showState(got))
				case !fresh.Known && fresh.Err != nil && got.Err == nil:
					problem = fmt.Sprintf("change %d: the trouble is not shown: %s", i, showState(got))
				}
				if problem != "" {
					return
				}
			}
		})
		if problem != "" {
			rt.Fatal(rules, problem)
		}
	})
}

func randomTree(rt *rapid.T, leaves []string, depth int) string {
	if depth == 0 || rapid.IntRange(0, 2).Draw(rt, "shape") == 0 {
		return rapid.SampledFrom(leaves).Draw(rt, "leaf")
	}
	op := rapid.SampledFrom([]string{" | ", " & "}).Draw(rt, "op")
	var kids []string
	for range rapid.IntRange(2, 3).Draw(rt, "kids") {
		kids = append(kids, randomTree(rt, leaves, depth-1))
	}
	return "(" + strings.Join(kids, op) + ")"
}

func someAnswer(name string, kind int) answer {
	switch kind {
	case 0:
		return naming.Ok(tree{})
	case 1:
		return naming.Ok(tree{Op: dtab.Fail})
	case 2:
		return naming.Ok(tree{Op: dtab.Empty})
	case 3:
		return answer{}
	case 4:
		return naming.Failed[tree](errors.New("no " + name))
	default:
		return naming.Ok(dtab.LeafOf(naming.Fixed(path(name), dtab.MustPath(fmt.Sprintf("/%d", kind)), endpoints("10.0.0.1:80"))))
	}
}

// Many bindings, changes and a Close, for the race detector.
func TestInterpreterStress(t *testing.T) {
	for range 5 {
		b := newBoard()
		in := naming.NewInterpreter(naming.Options{Namers: naming.Namers{{Prefix: path("/#/a"), Namer: b}}, Settle: -1})
		ctx, cancel := context.WithCancel(context.Background())
		var sources []weft.Source[bound]
		for i := range 8 {
			local := dtab.MustParse(fmt.Sprintf("/svc=>/#/a/%d | /#/a/%d & /#/a/%d", i%3, i%5, i%4))
			sources = append(sources, in.Bind(ctx, local, path("/svc")))
		}
		for i := range 200 {
			name := fmt.Sprintf("/#/a/%d", i%6)
			b.put(path(name), someAnswer(name, i%8))
			for _, s := range sources {
				s.Load()
			}
			if i == 150 {
				go cancel()
			}
		}
		require.NoError(t, in.Close())
		cancel()
	}
}
