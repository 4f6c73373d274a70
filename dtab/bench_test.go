package dtab_test

import (
	"fmt"
	"testing"

	"github.com/weft-mesh/weft/dtab"
)

func BenchmarkParse(b *testing.B) {
	s := serviceDtab(10).String()
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dtab.Parse(s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParsePath(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dtab.ParsePath("/svc/web-7/v1"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	p := dtab.MustPath("/svc/web-7/v1")
	local := dtab.MustParse("/svc/a=>/x;/svc/b=>/y")
	for _, n := range []int{10, 1_000, 10_000} {
		d := serviceDtab(n)
		x := dtab.NewIndex(d)
		b.Run(fmt.Sprintf("index/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.Lookup(p)
			}
		})
		b.Run(fmt.Sprintf("indexWithLocal/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.LookupWith(local, p)
			}
		})
		b.Run(fmt.Sprintf("linear/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d.Lookup(p)
			}
		})
	}
}

func BenchmarkNewIndex(b *testing.B) {
	d := serviceDtab(1_000)
	b.ReportAllocs()
	for b.Loop() {
		dtab.NewIndex(d)
	}
}

func BenchmarkPath(b *testing.B) {
	p, q := dtab.MustPath("/svc/web-7/v1"), dtab.MustPath("/#/io.l5d.fs")
	b.Run("Drop", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.Drop(2)
		}
	})
	b.Run("Concat", func(b *testing.B) {
		var both dtab.Path
		defer func() { b.Log(both) }() // or it is never built
		b.ReportAllocs()
		for b.Loop() {
			both = q.Concat(p)
		}
	})
	b.Run("HasPrefix", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.HasPrefix(q)
		}
	})
	b.Run("PathOf", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := dtab.PathOf("svc", "web-7", "a/b"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
