package consul

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestProbesEndQueries has findings come in, in orders that are hard to bring about
// with a real agent.
func TestProbesEndQueries(t *testing.T) {
	start := time.Now()
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	for name, row := range map[string]struct {
		down              bool
		turned, heard     int // seconds
		query             int // when it began
		probe             int // when it began
		alive             bool
		wantTurn, wantEnd bool
	}{
		"the agent goes away":              {query: 1, probe: 2, wantTurn: true, wantEnd: true},
		"the query is newer":               {query: 3, probe: 2, wantTurn: true},
		"the agent is only busy":           {heard: 3, query: 1, probe: 2},
		"heard before the probe":           {heard: 1, query: 1, probe: 2, wantTurn: true, wantEnd: true},
		"found by a query and lost again":  {down: true, turned: 1, heard: 2, query: 3, probe: 4, wantEnd: true},
		"down, and the query is newer":     {down: true, turned: 1, query: 3, probe: 2},
		"a failure from before it is back": {turned: 3, query: 4, probe: 2},
		"the agent is back":                {down: true, turned: 1, query: 2, probe: 3, alive: true, wantTurn: true, wantEnd: true},
		"the agent is there as ever":       {query: 1, probe: 2, alive: true},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := newClient(Agent{}, Options{}.withDefaults(false), true)
			require.NoError(t, err)
			defer c.close()
			p := c.pulse
			ctx, _, landed := p.track(t.Context())
			defer landed()
			for f := range p.flights {
				f.began = at(row.query)
			}
			p.down, p.turned, p.lastHeard = row.down, at(row.turned), at(row.heard)
			_, back := p.state()
			if row.alive {
				// A query is asked again whenever it began, so its time is in the past.
				for f := range p.flights {
					f.began = start.Add(-time.Second)
				}
			}
			assert.Equal(t, row.wantTurn, p.take(finding{alive: row.alive, began: at(row.probe)}))
			assert.Equal(t, row.wantEnd, ctx.Err() != nil)
			if row.wantEnd {
				want := errSilent
				if row.alive {
					want = errAgain
				}
				require.ErrorIs(t, context.Cause(ctx), want)
			}
			select {
			case <-back:
				assert.True(t, row.alive && row.wantTurn, "said to be back")
			default:
				assert.False(t, row.alive && row.wantTurn, "not said to be back")
			}
		})
	}
}
