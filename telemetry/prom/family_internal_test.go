package prom

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestRunsOfManyJobs: a family keeps all samples, in order, however many jobs and slabs they
// come from.
func TestRunsOfManyJobs(t *testing.T) {
	for _, each := range []int{1, 2, 7, 129, 1000, 3000} {
		m := (*Memory)(nil).take()
		mem := m.worker(0)
		var r runs[number]
		want := 0
		for job := range 150 {
			for range each {
				r.add(&mem.numbers, job, want, counter, number{nil, float64(want)})
				want++
			}
		}
		got := 0
		for _, run := range r.list {
			for _, x := range run.samples {
				if x.value != float64(got) {
					t.Fatalf("%d of each job: sample %d is %v", each, got, x.value)
				}
				got++
			}
		}
		assert.Equal(t, want, got)
		room := 0
		for _, x := range m.numbers.all {
			room += len(x)
		}
		assert.GreaterOrEqual(t, room, want, "they are in the memory that is kept")
	}
}
