package file_test

import (
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

// BenchmarkPut is acknowledged writes to the disk: by one writer, and by 64 who share
// its time.
func BenchmarkPut(b *testing.B) {
	d := dtab.MustParse("/svc=>/#/io.l5d.fs;/svc/users=>1*/svc/users-v2&9*/svc/users-v1")
	b.Run("writers=1", func(b *testing.B) {
		s := open(b, filepath.Join(b.TempDir(), "dtabs.db"))
		for b.Loop() {
			if _, err := s.Put(b.Context(), "default", d, namerd.Note{}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
	})
	b.Run("writers=64", func(b *testing.B) {
		s := open(b, filepath.Join(b.TempDir(), "dtabs.db"))
		var id atomic.Int64
		b.SetParallelism(32) // times GOMAXPROCS
		b.RunParallel(func(pb *testing.PB) {
			ns := strconv.FormatInt(id.Add(1), 10)
			for pb.Next() {
				if _, err := s.Put(b.Context(), ns, d, namerd.Note{}); err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
	})
}
