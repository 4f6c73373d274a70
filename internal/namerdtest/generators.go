package namerdtest

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"pgregory.net/rapid"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// Paths draws paths of least to 4 elements, some of them of odd bytes.
func Paths(least int) *rapid.Generator[dtab.Path] {
	elem := rapid.OneOf(rapid.SampledFrom([]string{"a", "svc", "#", "$", "*", "/", "\x00\xff"}), rapid.StringN(1, 3, 8))
	return rapid.Custom(func(t *rapid.T) dtab.Path {
		p, err := dtab.PathOf(rapid.SliceOfN(elem, least, 4).Draw(t, "elems")...)
		if err != nil {
			t.Fatal(err)
		}
		return p
	})
}

func weights() *rapid.Generator[float64] {
	return rapid.OneOf(rapid.Float64Range(0, 1e6), rapid.SampledFrom([]float64{0, 0.25, 1, 2}))
}

// Trees draws trees with leaves as leaf draws them, in which Alts and Unions have
// at least so many branches.
func Trees[T any](depth, least int, leaf *rapid.Generator[T]) *rapid.Generator[dtab.Tree[T]] {
	return rapid.Custom(func(t *rapid.T) dtab.Tree[T] {
		ops := []dtab.Op{dtab.Neg, dtab.Fail, dtab.Empty, dtab.Leaf, dtab.Leaf}
		if depth > 0 {
			ops = append(ops, dtab.Alt, dtab.Union, dtab.Union)
		}
		n := dtab.Tree[T]{Op: rapid.SampledFrom(ops).Draw(t, "op")}
		switch n.Op {
		case dtab.Leaf:
			n.Value = leaf.Draw(t, "leaf")
		case dtab.Alt, dtab.Union:
			n.Kids = rapid.SliceOfN(Trees(depth-1, least, leaf), least, 3).Draw(t, "kids")
			for i := range n.Kids {
				if n.Op == dtab.Union {
					n.Kids[i].Weight = weights().Draw(t, "weight")
				}
			}
		case dtab.Neg, dtab.Fail, dtab.Empty:
		}
		return n
	})
}

// Bounds draws bound names.
func Bounds() *rapid.Generator[*naming.Bound] {
	return rapid.Custom(func(t *rapid.T) *naming.Bound {
		return &naming.Bound{ID: Paths(1).Draw(t, "id"), Residual: Paths(0).Draw(t, "residual")}
	})
}

// BoundTrees draws trees of bound names.
func BoundTrees() *rapid.Generator[dtab.Tree[*naming.Bound]] { return Trees(3, 0, Bounds()) }

// Dtabs draws rules.
func Dtabs() *rapid.Generator[dtab.Dtab] {
	elem := rapid.SampledFrom([]string{"a", "svc", "*", `\x2a`, `\x2f`, "#"})
	return rapid.Custom(func(t *rapid.T) dtab.Dtab {
		var d dtab.Dtab
		for range rapid.IntRange(0, 4).Draw(t, "rules") {
			prefix := "/" + strings.Join(rapid.SliceOfN(elem, 0, 4).Draw(t, "prefix"), "/")
			d = append(d, dtab.Dentry{Prefix: dtab.MustPrefix(prefix), Dst: Trees(2, 2, Paths(0)).Draw(t, "dst")})
		}
		return d
	})
}

// Metas draws metadata with the given keys.
func Metas(keys ...string) *rapid.Generator[map[string]string] {
	return rapid.Custom(func(t *rapid.T) map[string]string {
		var m map[string]string
		for _, k := range keys {
			if rapid.Bool().Draw(t, k) {
				if m == nil {
					m = map[string]string{}
				}
				m[k] = rapid.StringN(1, 4, 8).Draw(t, "value")
			}
		}
		return m
	})
}

// Sets draws endpoint sets with metadata of the given keys.
func Sets(keys ...string) *rapid.Generator[weft.EndpointSet] {
	return rapid.Custom(func(t *rapid.T) weft.EndpointSet {
		if rapid.IntRange(0, 9).Draw(t, "neg") == 0 {
			return weft.EndpointSet{Neg: true}
		}
		set := weft.EndpointSet{Meta: Metas(keys...).Draw(t, "meta")}
		for i := range rapid.IntRange(0, 4).Draw(t, "endpoints") {
			ip := netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
			if rapid.Bool().Draw(t, "v6") {
				ip = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)})
			}
			port := rapid.Uint16Range(1, 65535).Draw(t, "port")
			set.Endpoints = append(set.Endpoints, weft.Endpoint{
				Addr:   netip.AddrPortFrom(ip, port).String(),
				Weight: rapid.SampledFrom([]float64{0, 0, -1, 0.1, 2, 1e-300}).Draw(t, "weight"),
				Meta:   Metas(keys...).Draw(t, "meta"),
			})
		}
		return set
	})
}

// Delegations draws explanations.
func Delegations(depth int) *rapid.Generator[naming.Delegation] {
	return rapid.Custom(func(t *rapid.T) naming.Delegation {
		kinds := []naming.Kind{naming.KindNeg, naming.KindFail, naming.KindEmpty, naming.KindException, naming.KindLeaf, naming.KindLeaf}
		if depth > 0 {
			kinds = append(kinds, naming.KindDelegate, naming.KindAlt, naming.KindUnion, naming.KindTransformation)
		}
		d := naming.Delegation{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Path: Paths(0).Draw(t, "path")}
		if rules := Dtabs().Draw(t, "dentry"); len(rules) > 0 && !rules[0].Equal(dtab.Nop()) {
			d.Dentry = &rules[0]
		}
		kids := rapid.SliceOfN(Delegations(max(depth-1, 0)), 1, 3)
		switch d.Kind {
		case naming.KindException:
			d.Err = errors.New(rapid.StringN(1, 10, 20).Draw(t, "err"))
		case naming.KindLeaf:
			d.Bound = Bounds().Draw(t, "bound")
		case naming.KindTransformation:
			d.Name, d.Bound = "transformer", Bounds().Draw(t, "bound")
			d.Kids = kids.Draw(t, "kids")[:1]
		case naming.KindDelegate:
			d.Kids = kids.Draw(t, "kids")[:1]
		case naming.KindAlt:
			d.Kids = kids.Draw(t, "kids")
		case naming.KindUnion:
			d.Kids = kids.Draw(t, "kids")
			for i := range d.Kids {
				d.Kids[i].Weight = weights().Draw(t, "weight")
			}
		case naming.KindNeg, naming.KindFail, naming.KindEmpty:
		}
		return d
	})
}

// SameTree reports whether two bound trees are the same, weights and residuals
// included.
func SameTree(a, b dtab.Tree[*naming.Bound]) bool {
	return dtab.EqualFunc(a, b, func(x, y *naming.Bound) bool { return x.ID == y.ID && x.Residual == y.Residual })
}

// DelegationText is an explanation in a form that can be compared.
func DelegationText(d naming.Delegation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %v", d.Kind, d.Path, d.Weight)
	if d.Dentry != nil {
		fmt.Fprintf(&b, " by %s", d.Dentry)
	}
	if d.Err != nil {
		fmt.Fprintf(&b, " err %q", d.Err)
	}
	if d.Bound != nil {
		fmt.Fprintf(&b, " %s %s + %s", d.Name, d.Bound.ID, d.Bound.Residual)
	}
	for _, k := range d.Kids {
		fmt.Fprintf(&b, "(%s)", DelegationText(k))
	}
	return b.String()
}
