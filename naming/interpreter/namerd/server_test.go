package namerd_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/namerdtest"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerd"
	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

func harness() namerdtest.Harness {
	return namerdtest.Harness{
		Serve: serve,
		New: func(s namerdtest.Settings, o remote.Options) (namerdtest.Interpreter, error) {
			return namerd.New(namerd.Config{
				Base: s.Base, RetryBase: s.RetryBase, RetryMax: s.RetryMax, MinPeriod: s.PingEvery, CloseTimeout: s.PingLimit,
				TLS: s.TLS,
			}, o)
		},
	}
}

func TestFlow(t *testing.T) { harness().Run(t) }

// serve serves a World in thrift over mux.
func serve(t *testing.T, ln net.Listener, w *namerdtest.World) func() {
	t.Helper()
	p := &peer{w: w, stamps: map[string]stamped{}}
	var wg sync.WaitGroup
	var mu sync.Mutex
	conns := map[net.Conn]bool{}
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns[c] = true
			mu.Unlock()
			wg.Go(func() {
				(&muxPeer{conn: c, handle: p.handle}).serve()
				mu.Lock()
				defer mu.Unlock()
				delete(conns, c)
			})
		}
	})
	return func() {
		ln.Close()
		mu.Lock()
		for c := range conns {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	}
}

// peer answers calls from a World, with long polls. Each state of a thing has a
// stamp, which is new when the state is.
type peer struct {
	w      *namerdtest.World
	mu     sync.Mutex
	last   uint64
	stamps map[string]stamped
}

type stamped struct {
	stale any // the channel of the state
	stamp string
}

func (p *peer) stamp(of string, stale any) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stamps[of].stale != stale {
		p.last++
		p.stamps[of] = stamped{stale, string(binary.BigEndian.AppendUint64(nil, p.last))}
	}
	return p.stamps[of].stamp
}

// poll waits for a state that is not the one with the stamp.
func poll[T any](ctx context.Context, p *peer, of, stamp string, src weft.Source[naming.State[T]]) (naming.State[T], string, bool) {
	for {
		st, stale := src.Load()
		if now := p.stamp(of, stale); !st.Pending() && now != stamp {
			return st, now, true
		}
		select {
		case <-stale:
		case <-ctx.Done():
			return st, "", false
		}
	}
}

func (p *peer) handle(ctx context.Context, body []byte) (byte, []byte) {
	method, seq, args, err := readCall(body)
	if err != nil {
		return 1, []byte(err.Error())
	}
	req := args[1].(fields)
	var result fields
	switch method {
	case "bind":
		result = p.bind(ctx, req)
	case "addr":
		result = p.addr(ctx, req)
	case "dtab":
		st, stamp, ok := poll(ctx, p, "dtab", req[1].(string), p.w.Dtab())
		if ok && req[2] == "default" && len(req[3].([]any)) == 0 {
			result = fields{0: fields{1: stamp, 2: st.Value.String()}}
		}
	case "delegate":
		result = p.delegate(req)
	default:
		return 0, exception(method, seq, "no such method")
	}
	if result == nil {
		return 1, []byte("discarded")
	}
	return 0, reply(method, seq, result)
}

// name takes a NameRef apart.
func name(ref fields) (stamp, path string) {
	if ref[3] != "default" {
		panic(fmt.Sprint("namespace ", ref[3]))
	}
	return ref[1].(string), text(ref[2])
}

func text(path any) string {
	var elems []string
	for _, e := range path.([]any) {
		elems = append(elems, e.(string))
	}
	p, err := dtab.PathOf(elems...)
	if err != nil {
		panic(err)
	}
	return p.String()
}

func wire(p dtab.Path) []any {
	out := []any{}
	for e := range p.Elems() {
		out = append(out, e)
	}
	return out
}

func (p *peer) bind(ctx context.Context, req fields) fields {
	stamp, path := name(req[2].(fields))
	defer p.w.Asked(path, req[1].(string))()
	st, stamp, ok := poll(ctx, p, "bind "+path, stamp, p.w.Tree(path))
	if !ok {
		return nil
	}
	if !st.Known {
		return fields{1: fields{1: st.Err.Error(), 2: int32(0), 3: req[2], 4: "default"}}
	}
	nodes := numbers{}
	root := node(st.Value, nodes)
	return fields{0: fields{1: stamp, 2: fields{1: root, 2: nodes}, 3: "default"}}
}

func node(t dtab.Tree[*naming.Bound], nodes numbers) fields {
	add := func(k dtab.Tree[*naming.Bound]) int32 {
		id := int32(len(nodes))
		nodes[id] = fields{}
		nodes[id] = node(k, nodes)
		return id
	}
	switch t.Op {
	case dtab.Neg:
	case dtab.Empty:
		return fields{2: fields{}}
	case dtab.Fail:
		return fields{3: fields{}}
	case dtab.Leaf:
		return fields{4: fields{1: wire(t.Value.ID), 2: wire(t.Value.Residual)}}
	case dtab.Alt:
		alt := []any{}
		for _, k := range t.Kids {
			alt = append(alt, add(k))
		}
		return fields{5: alt}
	case dtab.Union:
		union := []any{}
		for _, k := range t.Kids {
			union = append(union, fields{1: k.Weight, 2: add(k)})
		}
		return fields{6: union}
	}
	return fields{1: fields{}}
}

func (p *peer) addr(ctx context.Context, req fields) fields {
	stamp, id := name(req[1].(fields))
	st, stamp, ok := poll(ctx, p, "addr "+id, stamp, p.w.Addr(id))
	switch {
	case !ok:
		return nil
	case !st.Known:
		return fields{1: fields{1: st.Err.Error(), 2: int32(0), 3: req[1]}}
	case st.Value.Neg:
		return fields{0: fields{1: stamp, 2: fields{2: fields{}}}}
	}
	all := set{}
	for _, e := range st.Value.Endpoints {
		at := netip.MustParseAddrPort(e.Addr)
		a := fields{1: string(at.Addr().AsSlice()), 2: int32(at.Port())}
		m := meta(e.Meta)
		if e.Weight != 0 {
			m[3] = e.Share()
		}
		if len(m) > 0 {
			a[3] = m
		}
		all = append(all, a)
	}
	bound := fields{1: all}
	if m := meta(st.Value.Meta); len(m) > 0 {
		bound[2] = m
	}
	return fields{0: fields{1: stamp, 2: fields{1: bound}}}
}

func meta(m map[string]string) fields {
	f := fields{}
	if a, ok := m["authority"]; ok {
		f[1] = a
	}
	if n, ok := m["nodeName"]; ok {
		f[2] = n
	}
	return f
}

func (p *peer) delegate(req fields) fields {
	question := req[2].(fields)
	if question[1] != "" {
		return nil // as the original, which never answers then
	}
	root := question[2].(fields)[1].(fields)
	d, ok := p.w.Explanation(text(root[3].(fields)[7]))
	if !ok || root[2] != `/\x2f=>~` {
		return fields{1: fields{1: "no explanation"}}
	}
	nodes := numbers{}
	top := explanation(d, nodes)
	return fields{0: fields{1: "\x00\x00\x00\x00\x00\x00\x00\x01", 2: fields{1: top, 2: nodes}, 3: "default"}}
}

func explanation(d naming.Delegation, nodes numbers) fields {
	add := func(k naming.Delegation) int32 {
		id := int32(len(nodes))
		nodes[id] = fields{}
		nodes[id] = explanation(k, nodes)
		return id
	}
	var c fields
	switch d.Kind {
	case naming.KindException:
		c = fields{1: d.Err.Error()}
	case naming.KindEmpty:
		c = fields{2: fields{}}
	case naming.KindFail:
		c = fields{3: fields{}}
	case naming.KindNeg:
		c = fields{4: fields{}}
	case naming.KindDelegate:
		c = fields{5: add(d.Kids[0])}
	case naming.KindLeaf:
		c = fields{6: fields{1: wire(d.Bound.ID), 2: wire(d.Bound.Residual)}}
	case naming.KindAlt:
		alt := []any{}
		for _, k := range d.Kids {
			alt = append(alt, add(k))
		}
		c = fields{8: alt}
	case naming.KindUnion:
		union := []any{}
		for _, k := range d.Kids {
			union = append(union, fields{1: k.Weight, 2: add(k)})
		}
		c = fields{9: union}
	case naming.KindTransformation:
		c = fields{10: fields{1: fields{1: wire(d.Bound.ID), 2: wire(d.Bound.Residual)}, 2: add(d.Kids[0])}}
	}
	rule := dtab.Nop()
	if d.Dentry != nil {
		rule = *d.Dentry
	}
	return fields{1: wire(d.Path), 2: rule.String(), 3: c}
}
