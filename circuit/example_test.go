package circuit_test

import (
	"fmt"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/circuit"
)

func ExampleBreaker() {
	b := circuit.New(circuit.Options{
		Policy:   circuit.ConsecutiveFailures{N: 3},
		OnStatus: func(s weft.Status) { fmt.Println("endpoint is", s) },
	})
	defer b.Close()

	for range 3 {
		token := b.Begin()
		// … send the request …
		b.End(token, weft.Result{Class: weft.Failure})
	}
	fmt.Println(b.State(), b.Stats().Removals.Load())
	// Output:
	// endpoint is busy
	// dead 1
}

func ExampleNack() {
	n, err := circuit.NewNack(circuit.NackOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if !n.Admit() {
		fmt.Println("dropped")
		return
	}
	refused := false // … send the request …
	n.Observe(refused)
	fmt.Println(n.AcceptRate())
	// Output: 1
}
