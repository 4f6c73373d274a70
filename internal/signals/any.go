package signals

import (
	"context"
	"reflect"
	"slices"
	"sync"
)

// Any waits until one of signals is closed and returns nil, or until ctx ends and returns
// its cause. Nil channels never fire; with nothing but nil channels it waits for ctx.
func Any(ctx context.Context, signals []<-chan struct{}) error {
	// One and two signals are by far the most frequent and need no reflection.
	switch len(signals) {
	case 0:
		<-ctx.Done()
		return context.Cause(ctx)
	case 1, 2:
		var second <-chan struct{}
		if len(signals) == 2 {
			second = signals[1]
		}
		select {
		case <-signals[0]:
			return nil
		case <-second:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if len(signals) > maxCases {
		return anyOfMany(ctx, signals)
	}
	cases := append(make([]reflect.SelectCase, 0, len(signals)+1), receive(ctx.Done()))
	for _, c := range signals {
		cases = append(cases, receive(c))
	}
	if chosen, _, _ := reflect.Select(cases); chosen == 0 {
		return context.Cause(ctx)
	}
	return nil
}

func receive(c <-chan struct{}) reflect.SelectCase {
	return reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)}
}

// maxCases is how many signals one select takes, next to another one.
const maxCases = 65535

// anyOfMany is Any for more signals than one select takes.
func anyOfMany(ctx context.Context, signals []<-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var selects sync.WaitGroup
	defer selects.Wait()
	done := make(chan error, len(signals)/maxCases+1)
	for chunk := range slices.Chunk(signals, maxCases) {
		selects.Go(func() { done <- Any(ctx, chunk) })
	}
	err := <-done
	cancel()
	return err
}
