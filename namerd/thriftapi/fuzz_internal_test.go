package thriftapi

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming/interpreter/namerd/namerthrift"
)

// FuzzServer: whatever a client sends, the server does not fall over, and ends the
// connection when the client does.
func FuzzServer(f *testing.F) {
	t := &testing.T{}
	frame := func(typ int8, tag uint32, body string) []byte {
		return muxFrame{typ: typ, tag: tag, body: []byte(body)}.bytes()
	}
	bind := string(marshal(t, "bind", bindArgs("/a", "/b=>/c", nil)))
	for _, seed := range [][]byte{
		frame(muxTping, 1, ""),
		append(frame(muxOldRerr, 1, probe), frame(muxTinit, 1, tinit)...),
		frame(muxTdispatch, 2, "\x00\x01\x00\x01k\x00\x01v\x00\x00\x00\x00"+bind),
		frame(muxTreq, 2, "\x01\x02\x01f"+bind),
		append(frame(muxTdispatch, 2|muxFragment, "\x00\x00"), frame(muxTdispatch, 2, "\x00\x00\x00\x00"+bind)...),
		frame(muxTdiscarded, 0, "\x00\x00\x02x"),
		appendFrame(nil, []byte(bind)),
		appendFrame(appendFrame(nil, []byte("\x80\x01\x00\x01\x00\x00\x00\x1b__can__finagle__trace__v3__\x00\x00\x00\x03\x00")), []byte("\x00"+bind)),
		appendFrame(nil, marshal(t, "delegate", &namerthrift.DelegateArgs{Req: &namerthrift.DelegateReq{Delegation: &namerthrift.Delegation{Tree: namerthrift.NewPathLeaf(dtab.MustPath("/a"))}}})),
	} {
		f.Add(seed)
	}
	n, err := namerd.New(namerd.Options{Store: &waiting{}, Linger: -1})
	require.NoError(f, err)
	f.Cleanup(func() { n.Close() })
	f.Fuzz(func(t *testing.T, b []byte) {
		s := New(n, Options{ExplainTimeout: time.Millisecond})
		client, server := net.Pipe()
		s.start(server)
		go func() {
			client.Write(b)
			client.Close()
		}()
		heard := make(chan struct{})
		go func() {
			defer close(heard)
			for {
				if _, err := readFrame(client); err != nil {
					return
				}
			}
		}()
		<-heard
		s.wg.Wait()
		require.NoError(t, s.Close())
	})
}

// FuzzQuestion: whatever the tree of a question is, it is read or refused.
func FuzzQuestion(f *testing.F) {
	f.Add(marshal(&testing.T{}, "delegate", &namerthrift.DelegateArgs{Req: &namerthrift.DelegateReq{
		Delegation: &namerthrift.Delegation{Tree: namerthrift.NewPathLeaf(dtab.MustPath("/a"))},
	}}))
	f.Fuzz(func(_ *testing.T, b []byte) {
		args := &namerthrift.DelegateArgs{}
		_, err := namerthrift.Unmarshal(b, func(namerthrift.Header) (namerthrift.Struct, error) { return args, nil })
		if err == nil && args.Req != nil && args.Req.Delegation != nil {
			_, _ = question(args.Req.Delegation.Tree)
		}
	})
}
