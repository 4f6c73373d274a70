package propagation

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Deadline is when a request stops being of use, and when that was decided.
type Deadline struct {
	// Timestamp is when the deadline was set.
	Timestamp time.Time
	// At is the deadline. The zero time means that there is none.
	At time.Time
}

// ParseDeadline reads "<timestamp> <deadline>", both signed decimal nanoseconds
// since the Unix epoch; further fields are ignored. ok is false if s is not of
// that form.
func ParseDeadline(s string) (d Deadline, ok bool) {
	stamp, rest, found := strings.Cut(s, " ")
	if !found {
		return Deadline{}, false
	}
	at, _, _ := strings.Cut(rest, " ")
	t, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return Deadline{}, false
	}
	a, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return Deadline{}, false
	}
	return Deadline{Timestamp: time.Unix(0, t), At: time.Unix(0, a)}, true
}

// String returns the form that ParseDeadline reads.
func (d Deadline) String() string {
	b := make([]byte, 0, 40)
	b = strconv.AppendInt(b, d.Timestamp.UnixNano(), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, d.At.UnixNano(), 10)
	return string(b)
}

// IsZero reports whether there is no deadline.
func (d Deadline) IsZero() bool { return d.At.IsZero() }

// Combine returns the deadline that satisfies both: the earlier one, with the
// later timestamp.
func (d Deadline) Combine(o Deadline) Deadline {
	if d.IsZero() {
		return o
	}
	if o.IsZero() {
		return d
	}
	if o.Timestamp.After(d.Timestamp) {
		d.Timestamp = o.Timestamp
	}
	if o.At.Before(d.At) {
		d.At = o.At
	}
	return d
}

type deadlineKey struct{}

// WithDeadline returns a context that ends at d at the latest and carries its
// timestamp. The deadline in force afterwards is the combination of d with what
// ctx had. The caller must call cancel.
func WithDeadline(ctx context.Context, d Deadline) (context.Context, context.CancelFunc) {
	if d.IsZero() {
		return ctx, func() {}
	}
	ctx = Advertise(ctx, d)
	return context.WithDeadline(ctx, DeadlineFrom(ctx).At)
}

// Advertise returns a context whose deadline, as the next hop is told it, is d at
// the latest, without ending the context then. It is for timeouts that end when a
// response begins and so cannot be the context's own.
func Advertise(ctx context.Context, d Deadline) context.Context {
	if d.IsZero() {
		return ctx
	}
	return context.WithValue(ctx, deadlineKey{}, DeadlineFrom(ctx).Combine(d))
}

// DeadlineFrom returns the deadline that the next hop is told: what was extracted
// or advertised, combined with the context's own. If that is all there is, or is
// earlier because others have tightened it, it counts as set now.
func DeadlineFrom(ctx context.Context) Deadline {
	d, _ := ctx.Value(deadlineKey{}).(Deadline)
	at, ok := ctx.Deadline()
	switch {
	case !ok:
	case d.IsZero(), at.Before(d.At):
		d = d.Combine(Deadline{Timestamp: time.Now(), At: at})
	}
	return d
}

// TakeDeadline combines the deadlines in c and removes the header if at least one
// of its values could be read. It is for those who, unlike Propagator.Extract, do
// not make the deadline the context's own.
func TakeDeadline(c Carrier) Deadline {
	var all Deadline
	read := false
	for _, v := range c.Values(HeaderDeadline) {
		if d, ok := ParseDeadline(v); ok {
			all = all.Combine(d)
			read = true
		}
	}
	if read {
		c.Del(HeaderDeadline)
	}
	return all
}
