package meshapi_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	"github.com/weft-mesh/weft/namerd/meshapi"
	"github.com/weft-mesh/weft/naming/interpreter/mesh/meshpb"
)

// raw is a client that speaks HTTP/2 by hand, in the way of Finagle.
type raw struct {
	t      *testing.T
	conn   net.Conn
	framer *http2.Framer
	window uint32 // of streams
	bodies map[uint32]*bytes.Buffer
	fields map[uint32][]hpack.HeaderField
	ended  map[uint32]bool
	pongs  int
	goaway bool
}

func rawDial(t *testing.T, addr string) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(eventually)))
	f := http2.NewFramer(conn, conn)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	return &raw{
		t: t, conn: conn, framer: f, window: 65535,
		bodies: map[uint32]*bytes.Buffer{}, fields: map[uint32][]hpack.HeaderField{}, ended: map[uint32]bool{},
	}
}

func (r *raw) handshake() {
	r.t.Helper()
	_, err := r.conn.Write([]byte(http2.ClientPreface))
	require.NoError(r.t, err)
	require.NoError(r.t, r.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: r.window}))
}

// request sends the head of a request, and the end of it if there is no message.
func (r *raw) request(id uint32, m proto.Message, fields ...string) {
	r.t.Helper()
	var head bytes.Buffer
	enc := hpack.NewEncoder(&head)
	for i := 0; i < len(fields); i += 2 {
		require.NoError(r.t, enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}))
	}
	require.NoError(r.t, r.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: head.Bytes(), EndHeaders: true, EndStream: m == nil,
	}))
	if m == nil {
		return
	}
	b, err := proto.Marshal(m)
	require.NoError(r.t, err)
	framed := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(b)))
	require.NoError(r.t, r.framer.WriteData(id, true, append(framed, b...)))
}

// call sends a request as the original's client does: an empty authority, its own
// content type, and no te.
func (r *raw) call(id uint32, method string, m proto.Message) {
	r.t.Helper()
	r.request(id, m, ":method", "POST", ":scheme", "http", ":path", method, ":authority", "", "content-type", "application/grpc+proto")
}

// step handles one frame of the server.
func (r *raw) step() {
	r.t.Helper()
	f, err := r.framer.ReadFrame()
	require.NoError(r.t, err)
	switch f := f.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			require.NoError(r.t, r.framer.WriteSettingsAck())
		}
	case *http2.MetaHeadersFrame:
		r.fields[f.StreamID] = append(r.fields[f.StreamID], f.Fields...)
		r.ended[f.StreamID] = r.ended[f.StreamID] || f.StreamEnded()
	case *http2.DataFrame:
		if r.bodies[f.StreamID] == nil {
			r.bodies[f.StreamID] = &bytes.Buffer{}
		}
		r.bodies[f.StreamID].Write(f.Data())
		r.ended[f.StreamID] = r.ended[f.StreamID] || f.StreamEnded()
	case *http2.PingFrame:
		if f.IsAck() {
			r.pongs++
		} else {
			require.NoError(r.t, r.framer.WritePing(true, f.Data))
		}
	case *http2.RSTStreamFrame:
		r.ended[f.StreamID] = true
	case *http2.GoAwayFrame:
		r.goaway = true
	}
}

// headers waits for the head of a response.
func (r *raw) headers(id uint32) map[string]string {
	r.t.Helper()
	for r.fields[id] == nil {
		r.step()
	}
	return r.all(id)
}

func (r *raw) all(id uint32) map[string]string {
	all := map[string]string{}
	for _, f := range r.fields[id] {
		all[f.Name] = f.Value
	}
	return all
}

// open gives a stream and the connection more window than they need.
func (r *raw) open(id uint32) {
	r.t.Helper()
	require.NoError(r.t, r.framer.WriteWindowUpdate(0, 1<<30))
	require.NoError(r.t, r.framer.WriteWindowUpdate(id, 1<<30))
}

// message waits for the next message of a stream.
func (r *raw) message(id uint32, m proto.Message) {
	r.t.Helper()
	for {
		if b := r.bodies[id]; b != nil && b.Len() >= 5 {
			if n := int(binary.BigEndian.Uint32(b.Bytes()[1:])); b.Len() >= 5+n {
				require.NoError(r.t, proto.Unmarshal(b.Next(5 + n)[5:], m))
				return
			}
		}
		require.False(r.t, r.ended[id], "the stream has ended: %v", r.all(id))
		r.step()
	}
}

// TestClientsOfTheOriginal: what Finagle's client sends is accepted, as often as it
// sends pings, and scalars are there although they are zero.
func TestClientsOfTheOriginal(t *testing.T) {
	w := newWorld(t, map[string]string{"default": "/svc=>/#/io.l5d.static | /x; /svc/two=>/svc/a & 0.*/svc/b"})
	w.set("a", "1.2.3.4:1")
	w.set("b", "1.2.3.4:2")
	r := rawDial(t, w.serve(meshapi.Options{}).addr)
	r.handshake()
	r.call(1, "/io.linkerd.mesh.Interpreter/StreamBoundTree", &meshpb.BindReq{Root: root("default"), Name: name("/svc/a")})
	assert.Equal(t, "200", r.headers(1)[":status"])
	assert.Contains(t, r.headers(1)["content-type"], "application/grpc")
	var tree meshpb.BoundTreeRsp
	r.message(1, &tree)
	assert.Equal(t, "/#/io.l5d.static/a", text(t, tree.GetTree()))

	r.call(3, "/io.linkerd.mesh.Resolver/StreamReplicas", &meshpb.ReplicasReq{Id: name("/#/io.l5d.static/a")})
	var replicas meshpb.Replicas
	for replicas.GetBound() == nil {
		r.message(3, &replicas)
	}
	e := replicas.GetBound().GetEndpoints()[0]
	assert.NotNil(t, e.InetAf, "INET4 is zero, and written")
	assert.NotNil(t, e.GetMeta())

	r.call(5, "/io.linkerd.mesh.Interpreter/StreamBoundTree", &meshpb.BindReq{Root: root("default"), Name: name("/svc/two")})
	r.message(5, &tree)
	for _, k := range tree.GetTree().GetUnion().GetTrees() {
		assert.NotNil(t, k.Weight)
	}

	r.call(7, "/io.linkerd.mesh.Nope/Get", &meshpb.ReplicasReq{})
	assert.Equal(t, "12", r.headers(7)["grpc-status"])
	assert.Equal(t, "/io.linkerd.mesh.Nope/Get", r.headers(7)["grpc-message"])
	r.request(9, nil, ":method", "GET", ":scheme", "http", ":path", "/io.linkerd.mesh.Codec/ShowPath", ":authority", "", "content-type", "application/grpc+proto")
	for !r.ended[9] {
		r.step()
	}
	assert.NotEqual(t, "0", r.all(9)["grpc-status"])

	const pings = 20
	for i := range pings {
		time.Sleep(15 * time.Millisecond)
		require.NoError(t, r.framer.WritePing(false, [8]byte{byte(i)}))
	}
	for r.pongs < pings {
		r.step()
	}
	assert.False(t, r.goaway, "too many pings")
	w.put("default", "/svc=>/#/io.l5d.static/b")
	r.message(1, &tree)
	assert.Equal(t, "/#/io.l5d.static/b+/a", text(t, tree.GetTree()), "the stream goes on")
}

// TestGarbage: bytes that are not gRPC end their connection and no other.
func TestGarbage(t *testing.T) {
	w := newWorld(t, nil)
	s := w.serve(meshapi.Options{})
	good := rawDial(t, s.addr)
	good.handshake()
	good.call(1, "/io.linkerd.mesh.Interpreter/StreamBoundTree", &meshpb.BindReq{Root: root("default"), Name: name("/svc/a")})
	var tree meshpb.BoundTreeRsp
	good.message(1, &tree)
	for _, b := range []string{"GET / HTTP/1.1\r\n\r\n", http2.ClientPreface + "\x00\x00\xff\xff\xff garbage garbage", "\x16\x03\x01"} {
		conn, err := net.Dial("tcp", s.addr)
		require.NoError(t, err)
		_, err = conn.Write([]byte(b))
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		require.NoError(t, conn.SetDeadline(time.Now().Add(eventually)))
		_, _ = new(bytes.Buffer).ReadFrom(conn) // until the server closes it
		conn.Close()
	}
	bad := rawDial(t, s.addr)
	bad.handshake()
	bad.request(1, nil, ":method", "POST", ":scheme", "http", ":path", "/io.linkerd.mesh.Codec/ShowPath", ":authority", "", "content-type", "application/grpc")
	for !bad.ended[1] {
		bad.step()
	}
	assert.NotEqual(t, "0", bad.all(1)["grpc-status"], "a call without a request")

	w.put("default", "/svc=>!")
	good.message(1, &tree)
	assert.Equal(t, "!", text(t, tree.GetTree()))
}
