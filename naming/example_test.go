package naming_test

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// A namer of fixed names, and a dtab that fails over between two of them.
func Example() {
	known := map[string]string{"users": "10.0.0.1:80", "shop": "10.0.0.2:80"}
	prefix := dtab.MustPath("/#/static")
	static := naming.NamerFunc(func(_ context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
		if p.IsEmpty() || known[p.Elem(0)] == "" {
			return naming.Answer(dtab.Tree[naming.Name]{}) // no such name
		}
		set := weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: known[p.Elem(0)]}}}
		return naming.Answer(dtab.LeafOf(naming.Fixed(prefix.Concat(p.Take(1)), p.Drop(1), set)))
	})
	in := naming.NewInterpreter(naming.Options{
		Namers: naming.Namers{{Prefix: prefix, Namer: static}},
		Base:   dtab.MustParse("/svc => /#/static ; /svc/users => /#/static/users-v2 | /#/static/users"),
	})
	defer in.Close()

	state, _ := in.Bind(context.Background(), nil, dtab.MustPath("/svc/users")).Load()
	fmt.Println(state.Value.Value.ID)

	why, _ := in.Delegate(context.Background(), nil, dtab.MustPath("/svc/users"))
	fmt.Print(why.Text())
	// Output:
	// /#/static/users
	// /svc/users, the first of:
	//   - /#/static/users-v2 (/svc/users=>/#/static/users-v2 | /#/static/users) [/#/static: neg]: no rule and no namer knows this name  <- neg
	//   + /#/static/users (/svc/users=>/#/static/users-v2 | /#/static/users) [/#/static: bound] = /#/static/users: 10.0.0.1:80  <- taken
	//   - /#/static/users (/svc=>/#/static) [/#/static: bound] = /#/static/users: 10.0.0.1:80  <- not reached: an earlier branch answered
}

// A plug-in is one blocking function; Shared makes a namer of it.
func ExampleShared() {
	// The function that knows how to watch: here a stream with one line per update.
	watch := naming.WatchFunc[string, weft.EndpointSet](
		func(ctx context.Context, _ string, set func(naming.State[weft.EndpointSet])) error {
			stream := bufio.NewScanner(strings.NewReader("10.0.0.1:80 10.0.0.2:80\n"))
			for stream.Scan() {
				var eps weft.EndpointSet
				for addr := range strings.FieldsSeq(stream.Text()) {
					eps.Endpoints = append(eps.Endpoints, weft.Endpoint{Addr: addr})
				}
				set(naming.Ok(eps))
			}
			<-ctx.Done()
			return nil
		})
	shared := naming.NewShared(watch, naming.SharedOptions{})
	defer shared.Close()

	prefix := dtab.MustPath("/#/stream")
	namer := naming.NamerFunc(func(ctx context.Context, p dtab.Path) weft.Source[naming.State[dtab.Tree[naming.Name]]] {
		if p.IsEmpty() {
			return naming.Answer(dtab.Tree[naming.Name]{})
		}
		service := p.Elem(0)
		return naming.LeafWhilePresent(ctx, prefix.Concat(p.Take(1)), p.Drop(1),
			func(ctx context.Context) weft.Source[naming.State[weft.EndpointSet]] {
				return shared.Observe(ctx, service)
			})
	})

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	known := func(s naming.State[dtab.Tree[naming.Name]]) bool { return s.Known }
	s, _ := weft.Until(ctx, namer.Lookup(ctx, dtab.MustPath("/users/v1")), known)
	set, _ := s.Value.Value.Bound.Addrs(ctx).Load()
	fmt.Println(s.Value.Value.Bound.ID, s.Value.Value.Bound.Residual, len(set.Value.Endpoints))
	// Output: /#/stream/users /v1 2
}
