package retry_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/retry"
)

func ExampleDo() {
	budget, err := retry.NewBudget(retry.BudgetOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	policy := retry.Policy{
		Budget:  budget,
		Backoff: retry.DecorrelatedJitter{Base: time.Millisecond, Max: 10 * time.Millisecond},
	}
	cluster := &retry.Client{Budget: retry.Infinite{}}

	refused := &weft.Error{Stage: weft.StageConnect, Unsent: true, Err: errors.New("connection refused")}
	status, result := retry.Do(context.Background(), policy,
		func(_ context.Context, n int) (int, weft.Result, *retry.Client) {
			switch n {
			case 0: // requeued: nothing was sent
				return 0, weft.Result{Class: weft.Failure, Err: refused}, cluster
			case 1: // retried: the classifier allows it
				return 503, weft.Result{Class: weft.Retryable}, cluster
			default:
				return 200, weft.Result{}, cluster
			}
		},
		func(status int) { fmt.Println("discarded", status) },
	)
	fmt.Println(status, result.Class)
	// Output:
	// discarded 0
	// discarded 503
	// 200 success
}

func ExampleNewBudget() {
	// No retries but 10 % of the requests of the last minute.
	b, err := retry.NewBudget(retry.BudgetOptions{
		TTL:          time.Minute,
		MinPerSecond: retry.None,
		Ratio:        0.1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 25 {
		b.Deposit()
	}
	fmt.Println(b.Balance())
	// Output: 2
}
