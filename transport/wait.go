package transport

import (
	"context"
	"reflect"
	"time"
)

type wake uint8

const (
	changed wake = iota
	ctxEnded
	timedOut
)

// waitAny waits for the first of several things to happen.
func waitAny(ctx context.Context, timeout <-chan time.Time, waits []<-chan struct{}) wake {
	cases := make([]reflect.SelectCase, 0, len(waits)+2)
	add := func(ch any) {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ch)})
	}
	add(ctx.Done())
	add(timeout)
	for _, w := range waits {
		add(w)
	}
	switch i, _, _ := reflect.Select(cases); i {
	case 0:
		return ctxEnded
	case 1:
		return timedOut
	default:
		return changed
	}
}
