package http2

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2/hpack"
	"pgregory.net/rapid"
)

// TestEncoderProperty: whatever fields, sizes and table sizes, another implementation's
// decoder reads what was written.
func TestEncoderProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := newEncoder(nil)
		dec := hpack.NewDecoder(4096, nil)
		name := rapid.SampledFrom([]string{":method", ":path", ":status", "accept-encoding", "cookie", "content-type", "l5d-ctx-trace", "grpc-status", "x-a", "x-b", "x-c", "date"})
		value := rapid.OneOf(rapid.SampledFrom([]string{"", "GET", "200", "/", "a", "b", "gzip, deflate", strings.Repeat("l", 3000)}), rapid.StringN(0, 20, 40))
		for range rapid.IntRange(1, 60).Draw(t, "blocks") {
			if rapid.IntRange(0, 9).Draw(t, "resize") == 0 {
				e.setMax(rapid.Uint32Range(0, 8192).Draw(t, "size"))
			}
			var fields []hpack.HeaderField
			for range rapid.IntRange(0, 12).Draw(t, "fields") {
				fields = append(fields, hpack.HeaderField{Name: name.Draw(t, "name"), Value: value.Draw(t, "value"), Sensitive: rapid.IntRange(0, 5).Draw(t, "sensitive") == 0})
			}
			got, err := dec.DecodeFull(e.block(nil, fields))
			require.NoError(t, err)
			require.Equal(t, len(fields), len(got))
			for i := range got {
				require.Equal(t, fields[i], got[i])
			}
			require.LessOrEqual(t, e.size, e.max)
		}
	})
}

// TestEncoderTable: what repeats shrinks to a byte or two, what changes leaves the table
// alone.
func TestEncoderTable(t *testing.T) {
	e := newEncoder(nil)
	var total int
	for i := range 1000 {
		total = len(e.block(nil, []hpack.HeaderField{
			{Name: ":method", Value: "GET"},
			{Name: ":authority", Value: "users.example.org"},
			{Name: "user-agent", Value: "somebody/1.0"},
			{Name: "x-tenant", Value: "blue"},
			{Name: "x-changes", Value: fmt.Sprint(i)},
			{Name: "l5d-ctx-trace", Value: fmt.Sprintf("%040d", i)},
		}))
	}
	assert.Less(t, total, 60)
	assert.Less(t, e.size, uint32(500), "the values that change are not in the table")
}

// TestEncoderResize: the smallest size in between is told too (RFC 7541 4.2).
func TestEncoderResize(t *testing.T) {
	e := newEncoder(nil)
	f := []hpack.HeaderField{{Name: "x-a", Value: "b"}}
	dec := hpack.NewDecoder(4096, nil)
	for range 3 {
		_, err := dec.DecodeFull(e.block(nil, f))
		require.NoError(t, err)
	}
	e.setMax(0)
	e.setMax(100)
	b := e.block(nil, f)
	assert.Equal(t, []byte{0x20, 0x3f, 100 - 31}, b[:3], "nothing, then 100")
	got, err := dec.DecodeFull(b)
	require.NoError(t, err)
	assert.Equal(t, f, got)
}

// TestStaticTable compares with the decoder's table.
func TestStaticTable(t *testing.T) {
	for i := range staticEntries {
		got, err := hpack.NewDecoder(4096, nil).DecodeFull([]byte{0x80 | byte(i+1)})
		require.NoError(t, err)
		f := got[0]
		index, exact := staticIndex(f.Name, f.Value)
		want := uint32(i + 1)
		if f.Value == "" && f.Name != ":authority" {
			assert.False(t, exact)
		} else {
			assert.True(t, exact, f)
		}
		assert.Equal(t, want, index, f)
		_, exact = staticIndex(f.Name, "no such value")
		assert.False(t, exact)
	}
	for _, name := range []string{"", "x", ":x", "content"} {
		index, _ := staticIndex(name, "")
		assert.Zero(t, index)
	}
}

func BenchmarkEncode(b *testing.B) {
	b.ReportAllocs()
	e := newEncoder(nil)
	f := []hpack.HeaderField{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: "/grpc.Service/Method"},
		{Name: ":authority", Value: "users.example.org"},
		{Name: "content-type", Value: "application/grpc"},
		{Name: "te", Value: "trailers"},
		{Name: "user-agent", Value: "grpc-go/1.85.0"},
		{Name: "l5d-ctx-trace", Value: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
	}
	buf := make([]byte, 0, 1000)
	for b.Loop() {
		buf = e.block(buf[:0], f)
	}
}
