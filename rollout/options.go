package rollout

import "time"

// Options are what a Runner works with. Dtabs is required, Meter for Start and for
// Resume.
type Options struct {
	Dtabs Dtabs
	Meter Meter

	// Interval is how often it is measured while a step is watched. Zero is 5 s.
	Interval time.Duration

	// Poll is how often the state is looked at for what others want done, and how
	// long a write that failed waits at most until it is tried again. Zero is a second.
	Poll time.Duration

	// Recent is the window in which a breach is looked for beside the whole of the
	// step, so that what went well for long does not hide it. Zero is a minute.
	Recent time.Duration

	// Lease is how long a runner that gives no sign of life is taken to be alive. It
	// gives one three times as often. Clocks of machines must not differ by so much.
	// Zero is 30 s.
	Lease time.Duration

	// GiveUp is how long, after the context has ended, a write is tried that the
	// control plane does not take. Zero is a minute.
	GiveUp time.Duration

	// Name says who runs it. Empty is the user, the host and the process.
	Name string

	// Report is called with what happens, one call at a time. It must not block for
	// long. May be nil.
	Report func(Event)
}

func (o Options) withDefaults() Options {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&o.Interval, 5*time.Second)
	set(&o.Poll, time.Second)
	set(&o.Recent, time.Minute)
	set(&o.Lease, 30*time.Second)
	set(&o.GiveUp, time.Minute)
	if o.Name == "" {
		o.Name = processName()
	}
	if o.Report == nil {
		o.Report = func(Event) {}
	}
	return o
}
