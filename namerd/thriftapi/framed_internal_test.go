package thriftapi

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/naming/interpreter/namerd/namerthrift"
)

// call sends a message of framed thrift.
func (p *peer) call(b []byte) {
	p.t.Helper()
	_, err := p.c.Write(appendFrame(nil, b))
	require.NoError(p.t, err)
}

func (p *peer) reply(header string, result namerthrift.Struct) {
	p.t.Helper()
	b, err := readFrame(p.r)
	require.NoError(p.t, err)
	rest, ok := strings.CutPrefix(string(b), header)
	require.True(p.t, ok, "%q", b)
	unmarshal(p.t, []byte(rest), result)
}

// TestFramedThrift: clients that speak thrift and no mux, Finagle's with its header
// too. Answers come in the order of the questions.
func TestFramedThrift(t *testing.T) {
	w := newWorld(t, nil)
	s := w.serve(Options{})
	p := s.dial(t)
	r := &namerthrift.BindResult{}
	p.call(marshal(t, "bind", bindArgs("/a", "", nil)))
	p.reply("", r)
	assert.Equal(t, "~", treeText(t, r))
	p.call(marshal(t, "bind", bindArgs("/a", "", r.Success.Stamp))) // waits
	p.call(marshal(t, "dtab", &namerthrift.DtabArgs{Req: &namerthrift.DtabReq{Ns: "x"}}))
	p.call(marshal(t, "nope", &namerthrift.DtabArgs{}))
	require.NoError(t, p.c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := p.r.Peek(1)
	require.True(t, isTimeout(err), "%v", err)
	require.NoError(t, p.c.SetReadDeadline(time.Now().Add(eventually)))
	w.put("default", "/a=>!")
	p.reply("", r)
	assert.Equal(t, "!", treeText(t, r))
	p.reply("", &namerthrift.DtabResult{})
	b, err := readFrame(p.r)
	require.NoError(t, err)
	_, err = namerthrift.Unmarshal(b, nil)
	require.ErrorContains(t, err, "Invalid method name: 'nope'")
	p.call([]byte("\x80\x01\x00\x02garbage"))
	p.closed()

	// Not strict: without a version.
	old := []byte("\x00\x00\x00\x04bind\x01\x00\x00\x00\x03")
	p = s.dial(t)
	p.call(append(old, marshal(t, "bind", bindArgs("/a", "", nil))[16:]...))
	p.reply("", r)
	assert.Equal(t, "!", treeText(t, r))

	// With Finagle's header: a trace id, a client's name, nothing else.
	p = s.dial(t)
	p.call([]byte("\x80\x01\x00\x01\x00\x00\x00\x1b__can__finagle__trace__v3__\x00\x00\x00\x03\x00"))
	p.reply("", &namerthrift.Void{})
	header := "\x0a\x00\x01\x00\x00\x00\x00\x00\x00\x00\x07" + "\x0c\x00\x06\x0b\x00\x01\x00\x00\x00\x01c\x00" + "\x00"
	for range 2 {
		p.call(append([]byte(header), marshal(t, "bind", bindArgs("/a", "", nil))...))
		p.reply("\x00", r)
		assert.Equal(t, "!", treeText(t, r))
	}
	p.call([]byte("\x0b\x00\x01\x7f\xff\xff\xff"))
	p.closed()
}
