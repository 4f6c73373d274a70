package transport_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/transport"
)

func TestDurationText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                         "0.seconds",
		10 * time.Second:          "10.seconds",
		1500 * time.Millisecond:   "1.seconds+500.milliseconds",
		90 * time.Second:          "1.minutes+30.seconds",
		time.Hour:                 "1.hours",
		25*time.Hour + 1:          "1.days+1.hours+1.nanoseconds",
		1234567 * time.Nanosecond: "1.milliseconds+234.microseconds+567.nanoseconds",
		-1500 * time.Millisecond:  "-1.seconds-500.milliseconds",
		math.MinInt64:             "-106751.days-23.hours-47.minutes-16.seconds-854.milliseconds-775.microseconds-808.nanoseconds",
		math.MaxInt64:             "106751.days+23.hours+47.minutes+16.seconds+854.milliseconds+775.microseconds+807.nanoseconds",
	} {
		assert.Equal(t, want, transport.DurationText(d), "%d", d)
	}
}

func TestErrorTexts(t *testing.T) {
	refused := errors.New("refused")
	for want, err := range map[string]error{
		"exceeded 1.seconds to /#/a while waiting for a response for an individual request, excluding retries. Remote Info: a:1": &transport.TimeoutError{
			Limit: time.Second, To: "/#/a", Attempt: true, Remote: "a:1",
		},
		"exceeded 1.seconds to http while waiting for a response for the request, including retries (if applicable). Remote Info: Not Available": &transport.TimeoutError{
			Limit: time.Second, To: "http",
		},
		"Unable to establish connection to a:1.\n\nservice name: /svc/a\nclient name: /#/a\naddresses: [a:1, a:2]\nselected address: a:1\ncause: refused\n": &transport.ConnectError{
			Service: dtab.MustPath("/svc/a"), Client: dtab.MustPath("/#/a"), Addrs: []string{"a:1", "a:2"}, Selected: "a:1", Err: refused,
		},
	} {
		assert.EqualError(t, err, want)
	}
	var timeout error = &transport.TimeoutError{}
	var asNet interface{ Timeout() bool }
	assert.ErrorAs(t, timeout, &asNet)
	assert.ErrorIs(t, timeout, transport.ErrTimeout)
	assert.ErrorIs(t, &transport.ConnectError{Err: refused}, refused)
}
