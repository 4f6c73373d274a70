package admin

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/weft-mesh/weft/transport"
)

func TestParseDurationReadsWhatTransportWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Min(0).Draw(t, "ns"))
		got, err := parseDuration(transport.DurationText(want))
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"10.seconds", "1.minutes+30.seconds", "-1.days", "duration.top", "9223372036854775807.nanoseconds+1.day", " 1.hour - 1.minute "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseDuration(s)
		if err != nil {
			require.Zero(t, d)
			return
		}
		require.GreaterOrEqual(t, d, time.Duration(0))
		again, err := parseDuration(transport.DurationText(d))
		require.NoError(t, err)
		require.Equal(t, d, again)
	})
}
