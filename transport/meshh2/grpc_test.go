package meshh2_test

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	xhttp2 "golang.org/x/net/http2"

	"github.com/weft-mesh/weft/transport/meshh2"
)

func words(s string) []string { return strings.Fields(s) }

func TestParseTimeout(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"1H": time.Hour, "2M": 2 * time.Minute, "3S": 3 * time.Second, "4m": 4 * time.Millisecond, "5u": 5 * time.Microsecond, "6n": 6,
		"0S": 0, "00000001S": time.Second, "99999999n": 99999999, "99999999S": 99999999 * time.Second, "99999999H": math.MaxInt64, "2562047H": 2562047 * time.Hour, "2562048H": math.MaxInt64,
	} {
		d, ok := meshh2.ParseTimeout(in)
		assert.True(t, ok, in)
		assert.Equal(t, want, d, in)
	}
	for _, in := range []string{"", "S", "1", "1s", "1h", "-1S", "+1S", " 1S", "1 S", "1.5S", "123456789n", "1SS", "0x1S", "1_0S", "１S"} {
		_, ok := meshh2.ParseTimeout(in)
		assert.False(t, ok, in)
	}
}

func TestFormatTimeout(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0n", -time.Second: "0n", 1: "1n", 99999999: "99999999n", 100000000: "100000u", 100000001: "100001u", time.Second: "1000000u",
		100 * time.Second: "100000m", 100*time.Second + 1: "100001m", 30 * time.Hour: "108000S", 99999999 * time.Second: "99999999S",
		100000000 * time.Second: "1666667M", math.MaxInt64: "2562048H",
	} {
		if want == "2562048H" { // minutes are enough for no longer than 190 years
			got, ok := meshh2.ParseTimeout(meshh2.FormatTimeout(d))
			assert.True(t, ok)
			assert.Equal(t, time.Duration(math.MaxInt64), got)
		}
		assert.Equal(t, want, meshh2.FormatTimeout(d), "%d", d)
	}
}

func FuzzTimeout(f *testing.F) {
	for _, s := range []string{"1S", "99999999H", "0n", "x", "12345678u", "2562048H"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, ok := meshh2.ParseTimeout(s)
		if !ok {
			assert.Zero(t, d)
			return
		}
		assert.GreaterOrEqual(t, d, time.Duration(0))
		out := meshh2.FormatTimeout(d)
		assert.LessOrEqual(t, len(out), 9)
		again, ok := meshh2.ParseTimeout(out)
		require.True(t, ok, out)
		assert.GreaterOrEqual(t, again, d, "never shorter")
		assert.LessOrEqual(t, float64(again-d), float64(d)*1e-6+1, "and hardly longer")
	})
}

func TestMessage(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "",
		"plain text ~!":      "plain text ~!",
		"100%":               "100%25",
		"a\nb\tc":            "a%0Ab%09c",
		"grün ☃":             "gr%C3%BCn %E2%98%83",
		"\x7f\x00\xff":       "%7F%00%FF",
		"Unable to route!\n": "Unable to route!%0A",
	} {
		assert.Equal(t, want, meshh2.EncodeMessage(text, 0))
		assert.Equal(t, text, meshh2.DecodeMessage(want))
	}
	assert.Equal(t, "abc", meshh2.EncodeMessage("abcdef", 3))
	assert.Equal(t, "ab", meshh2.EncodeMessage("ab☃d", 10), "not half a rune")
	assert.Equal(t, "ab%E2%98%83", meshh2.EncodeMessage("ab☃d", 11))
	for in, want := range map[string]string{"%": "%", "%2": "%2", "%zz": "%zz", "%e2%98%83": "☃", "a%2": "a%2", "%%25": "%%"} {
		assert.Equal(t, want, meshh2.DecodeMessage(in), "what is no escape stays")
	}
}

func FuzzMessage(f *testing.F) {
	for _, s := range []string{"", "100%", "☃\n", "%41", "\xff"} {
		f.Add(s, 0)
		f.Add(s, 5)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		out := meshh2.EncodeMessage(s, limit)
		for i := range len(out) {
			require.True(t, out[i] >= ' ' && out[i] <= '~', "%q", out)
		}
		if limit > 0 {
			assert.LessOrEqual(t, len(out), limit)
		}
		got := meshh2.DecodeMessage(out)
		assert.True(t, strings.HasPrefix(s, got))
		if limit <= 0 || len(s)*3 <= limit {
			assert.Equal(t, s, got)
		}
		if utf8.ValidString(s) {
			assert.True(t, utf8.ValidString(got))
		}
		meshh2.DecodeMessage(s)
	})
}

func TestResetsAndCodes(t *testing.T) {
	for reset, code := range map[xhttp2.ErrCode]meshh2.Code{
		xhttp2.ErrCodeNo: 13, xhttp2.ErrCodeProtocol: 13, xhttp2.ErrCodeInternal: 13, xhttp2.ErrCodeRefusedStream: 14,
		xhttp2.ErrCodeEnhanceYourCalm: 8, xhttp2.ErrCodeCancel: 1, xhttp2.ErrCodeStreamClosed: 2, xhttp2.ErrCodeFlowControl: 13,
	} {
		assert.Equal(t, code, meshh2.CodeOf(reset), reset)
	}
	for code := range meshh2.Code(17) {
		want, ok := map[meshh2.Code]xhttp2.ErrCode{
			13: xhttp2.ErrCodeInternal, 14: xhttp2.ErrCodeRefusedStream, 8: xhttp2.ErrCodeEnhanceYourCalm,
		}[code]
		if !ok {
			want = xhttp2.ErrCodeCancel
		}
		assert.Equal(t, want, code.Reset(), code)
	}
}

func TestParseCode(t *testing.T) {
	for in, want := range map[string]meshh2.Code{"0": 0, "9": 9, "14": 14, "016": 16, "2147483647": math.MaxInt32} {
		c, ok := meshh2.ParseCode(in)
		assert.True(t, ok, in)
		assert.Equal(t, want, c, in)
	}
	for _, in := range []string{"", "-1", "x", "1 ", " 1", "2147483648", "1.0", "a"} {
		_, ok := meshh2.ParseCode(in)
		assert.False(t, ok, in)
	}
	assert.Equal(t, "14", meshh2.CodeUnavailable.String())
}
