package editor

import (
	"context"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming"
)

// state is what a name is bound to, in a word.
type state string

const (
	stateBound   state = "bound"
	stateNeg     state = "neg"
	stateEmpty   state = "empty"
	stateFail    state = "fail"
	stateFailed  state = "failed"
	statePending state = "pending"
)

// outcome is where requests for a name go.
type outcome struct {
	State state  `json:"state"`
	Text  string `json:"text"` // one line
	Error string `json:"error,omitempty"`
	Goes  []leaf `json:"goes,omitempty"`
}

// leaf is a bound name in it.
type leaf struct {
	ID       string `json:"id"`
	Residual string `json:"residual,omitempty"`

	// Share is the part of the requests that it gets, from 0 to 1; what stands behind
	// another one as its failover has none.
	Share    float64 `json:"share"`
	Failover bool    `json:"failover,omitempty"`

	// Addr says what is known of its endpoints: "bound", "neg", "failed" or "pending".
	Addr      string `json:"addr"`
	Endpoints int    `json:"endpoints"`
}

// routes reports whether requests go somewhere.
func (o *outcome) routes() bool { return o.State == stateBound }

func newOutcome(ctx context.Context, b namerd.Outcome) outcome {
	switch {
	case b.Pending():
		return outcome{State: statePending, Text: "no answer in time"}
	case !b.Known:
		return outcome{State: stateFailed, Text: "failed: " + b.Err.Error(), Error: b.Err.Error()}
	}
	o := outcome{Text: dtab.Show(b.Value, func(n *naming.Bound) string { return n.ID.Concat(n.Residual).String() })}
	if b.Err != nil {
		o.Error = b.Err.Error()
	}
	switch b.Value.Op {
	case dtab.Neg:
		o.State, o.Text = stateNeg, "no such name"
	case dtab.Empty:
		o.State, o.Text = stateEmpty, "no endpoints, on purpose"
	case dtab.Fail:
		o.State, o.Text = stateFail, "explicit failure"
	default:
		o.State = stateBound
		o.add(ctx, b.Value, 1, false)
	}
	return o
}

// add adds the leaves of a tree that gets a share of the requests.
func (o *outcome) add(ctx context.Context, t dtab.Tree[*naming.Bound], share float64, failover bool) {
	switch t.Op {
	case dtab.Leaf:
		l := leaf{ID: t.Value.ID.String(), Share: share, Failover: failover}
		if !t.Value.Residual.IsEmpty() {
			l.Residual = t.Value.Residual.String()
		}
		l.Addr, l.Endpoints = endpoints(ctx, t.Value)
		o.Goes = append(o.Goes, l)
	case dtab.Alt:
		for i, k := range t.Kids {
			if i > 0 {
				share, failover = 0, true
			}
			o.add(ctx, k, share, failover)
		}
	case dtab.Union:
		total := 0.0
		for _, k := range t.Kids {
			total += k.Weight
		}
		for _, k := range t.Kids {
			part := 0.0
			if total > 0 {
				part = share * k.Weight / total
			}
			o.add(ctx, k, part, failover)
		}
	case dtab.Neg, dtab.Empty, dtab.Fail:
	}
}

// endpoints says how many endpoints a bound name has.
func endpoints(ctx context.Context, b *naming.Bound) (addr string, n int) {
	if b.Addrs == nil {
		return string(statePending), 0
	}
	s, _ := weft.Until(ctx, b.Addrs(ctx), func(s naming.State[weft.EndpointSet]) bool { return !s.Pending() })
	switch {
	case s.Pending():
		return string(statePending), 0
	case !s.Known:
		return string(stateFailed), 0
	case s.Value.Neg:
		return string(stateNeg), 0
	default:
		return string(stateBound), len(s.Value.Endpoints)
	}
}
