package balancer_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/balancer"
)

func Example() {
	b := balancer.New(balancer.Options{Policy: balancer.EWMA{Decay: 5 * time.Second}})
	defer b.Close()
	b.Update(weft.EndpointSet{Endpoints: []weft.Endpoint{{Addr: "10.0.0.1:80"}, {Addr: "10.0.0.2:80"}}})

	p, err := b.Pick(context.Background(), weft.Call{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("outstanding:", p.Endpoint.Pending())
	// … send the request to p.Endpoint.Addr() …
	p.Done(weft.Result{Class: weft.Success, Latency: 20 * time.Millisecond})
	fmt.Println("outstanding:", p.Endpoint.Pending(), "latency:", p.Endpoint.Cost())
	// Output:
	// outstanding: 1
	// outstanding: 0 latency: 20ms
}

// Rendezvous is a policy of one's own: the endpoint with the highest hash of its
// address and the call's key, so that equal keys meet on one endpoint and a
// change of the set moves as few of them as possible.
type Rendezvous struct{}

type rendezvous struct {
	eps    []*balancer.Endpoint
	hashes []uint64
}

func (Rendezvous) Build(s balancer.Set) balancer.Picker {
	p := &rendezvous{eps: s.Endpoints}
	for _, e := range s.Endpoints {
		h := fnv.New64a()
		h.Write([]byte(e.Addr()))
		p.hashes = append(p.hashes, h.Sum64())
	}
	return p
}

func (p *rendezvous) Pick(c weft.Call, _ int64) *balancer.Endpoint {
	var best *balancer.Endpoint
	var score uint64
	for i, e := range p.eps {
		x := (p.hashes[i] ^ c.Key) * 0x9e3779b97f4a7c15
		x ^= x >> 32
		if e.Status() == weft.Open && e.Addr() != c.Avoid && (best == nil || x > score) {
			best, score = e, x
		}
	}
	return best // nil: none is healthy, which the balancer deals with
}

func ExamplePolicy() {
	b := balancer.New(balancer.Options{Policy: Rendezvous{}, OnAllUnhealthy: balancer.FailFast})
	defer b.Close()
	var set weft.EndpointSet
	for i := range 5 {
		set.Endpoints = append(set.Endpoints, weft.Endpoint{Addr: fmt.Sprintf("10.0.0.%d:80", i+1)})
	}
	b.Update(set)

	where := func(key uint64) string {
		p, err := b.Pick(context.Background(), weft.Call{Key: key})
		if err != nil {
			return err.Error()
		}
		defer p.Done(weft.Result{})
		return p.Endpoint.Addr()
	}
	first := where(4711)
	fmt.Println("same key, same endpoint:", where(4711) == first)
	for _, e := range b.Endpoints() {
		if e.Addr() == first {
			e.SetStatus(weft.Busy)
		}
	}
	fmt.Println("moves when that is busy:", where(4711) != first)
	b.Update(weft.EndpointSet{})
	_, err := b.Pick(context.Background(), weft.Call{Key: 4711})
	fmt.Println(errors.Is(err, balancer.ErrEmpty))
	// Output:
	// same key, same endpoint: true
	// moves when that is busy: true
	// true
}
