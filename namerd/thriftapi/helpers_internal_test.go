package thriftapi

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/store/memory"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerd/namerthrift"
	"github.com/weft-mesh/weft/naming/static"
)

// eventually is how long anything may take.
const eventually = 20 * time.Second

// world is a namerd with a store in memory and a namer at /#/io.l5d.static.
type world struct {
	t      *testing.T
	store  namerd.Store
	namer  *static.Namer
	namerd *namerd.Namerd
}

func newWorld(t *testing.T, dtabs map[string]string) *world {
	t.Helper()
	o := memory.Options{Namespaces: map[string]dtab.Dtab{}}
	for ns, d := range dtabs {
		o.Namespaces[ns] = dtab.MustParse(d)
	}
	store := memory.New(o)
	namer, err := static.New(static.Config{Prefix: dtab.MustPath("/#/io.l5d.static")})
	require.NoError(t, err)
	n, err := namerd.New(namerd.Options{Store: store, Namers: naming.Namers{{Prefix: namer.Prefix(), Namer: namer}}})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, n.Close())
		assert.NoError(t, store.Close())
	})
	return &world{t, store, namer, n}
}

func (w *world) put(ns, d string) {
	w.t.Helper()
	_, err := w.store.Put(w.t.Context(), ns, dtab.MustParse(d), namerd.Note{})
	require.NoError(w.t, err)
}

func (w *world) set(name string, addrs ...string) {
	w.t.Helper()
	require.NoError(w.t, w.namer.Set(name, addrs...))
}

// running is a server that serves.
type running struct {
	*Server
	addr string
}

func (w *world) serve(o Options) *running { return w.serveAt("127.0.0.1:0", o) }

func (w *world) serveAt(addr string, o Options) *running {
	w.t.Helper()
	ln, err := net.Listen("tcp", addr)
	require.NoError(w.t, err)
	s := New(w.namerd, o)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	w.t.Cleanup(func() {
		assert.NoError(w.t, s.Close())
		assert.NoError(w.t, <-served)
	})
	return &running{s, ln.Addr().String()}
}

// peer is the client's side of a connection, frame by frame.
type peer struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

func (r *running) dial(t *testing.T) *peer {
	t.Helper()
	c, err := net.Dial("tcp", r.addr)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(eventually)))
	return &peer{t, c, bufio.NewReader(c)}
}

// say sends a frame of mux.
func (p *peer) say(typ int8, tag uint32, body string) {
	p.t.Helper()
	_, err := p.c.Write(muxFrame{typ: typ, tag: tag, body: []byte(body)}.bytes())
	require.NoError(p.t, err)
}

// hear reads a frame of mux.
func (p *peer) hear() muxFrame {
	p.t.Helper()
	b, err := readFrame(p.r)
	require.NoError(p.t, err)
	return muxFrameOf(b)
}

// expect reads a frame of mux, which must be that one.
func (p *peer) expect(typ int8, tag uint32, body string) {
	p.t.Helper()
	f := p.hear()
	assert.Equal(p.t, []any{typ, tag, body}, []any{f.typ, f.tag, string(f.body)})
}

// silent makes sure that there is nothing to hear: a ping is answered first.
func (p *peer) silent() {
	p.t.Helper()
	p.say(muxTping, 77, "")
	p.expect(muxRping, 77, "")
}

// closed waits for the end of the connection.
func (p *peer) closed() {
	p.t.Helper()
	for {
		if _, err := readFrame(p.r); err != nil {
			assert.False(p.t, isTimeout(err), "still open")
			return
		}
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// ask sends a Tdispatch with a call.
func (p *peer) ask(tag uint32, method string, args namerthrift.Struct) {
	p.t.Helper()
	// A context, a destination and a rule, none of which means anything here.
	p.say(muxTdispatch, tag, "\x00\x01\x00\x01k\x00\x02vv\x00\x02/d\x00\x01\x00\x02/a\x00\x02/b"+string(marshal(p.t, method, args)))
}

// answer reads an Rdispatch with a reply.
func (p *peer) answer(tag uint32, result namerthrift.Struct) {
	p.t.Helper()
	f := p.hear()
	require.Equal(p.t, []any{int8(muxRdispatch), tag}, []any{f.typ, f.tag}, "%q", f.body)
	require.Equal(p.t, "\x00\x00\x00", string(f.body[:3]), "%q", f.body)
	unmarshal(p.t, f.body[3:], result)
}

func marshal(t *testing.T, method string, args namerthrift.Struct) []byte {
	t.Helper()
	b, err := namerthrift.Marshal(method, thrift.CALL, 3, args)
	require.NoError(t, err)
	return b
}

func unmarshal(t *testing.T, b []byte, result namerthrift.Struct) {
	t.Helper()
	h, err := namerthrift.Unmarshal(b, func(namerthrift.Header) (namerthrift.Struct, error) { return result, nil })
	require.NoError(t, err)
	require.Equal(t, thrift.REPLY, h.Type)
	require.Equal(t, int32(3), h.Seq)
}

func ref(path string, stamp []byte) *namerthrift.NameRef {
	return &namerthrift.NameRef{Stamp: stamp, Name: namerthrift.NewPath(dtab.MustPath(path)), Ns: "default"}
}

func bindArgs(path, local string, stamp []byte) *namerthrift.BindArgs {
	return &namerthrift.BindArgs{Req: &namerthrift.BindReq{Dtab: local, Name: ref(path, stamp)}}
}

func addrArgs(id string, stamp []byte) *namerthrift.AddrArgs {
	return &namerthrift.AddrArgs{Req: &namerthrift.AddrReq{Name: ref(id, stamp)}}
}

// bind asks for a tree and waits for the answer.
func (p *peer) bind(tag uint32, path, local string, stamp []byte) *namerthrift.BindResult {
	p.t.Helper()
	p.ask(tag, namerthrift.MethodBind, bindArgs(path, local, stamp))
	r := &namerthrift.BindResult{}
	p.answer(tag, r)
	return r
}

func (p *peer) addr(tag uint32, id string, stamp []byte) *namerthrift.AddrResult {
	p.t.Helper()
	p.ask(tag, namerthrift.MethodAddr, addrArgs(id, stamp))
	r := &namerthrift.AddrResult{}
	p.answer(tag, r)
	return r
}

// show is the text of a tree.
func show(t dtab.Tree[*naming.Bound]) string {
	return dtab.Show(t, func(b *naming.Bound) string {
		return strings.TrimSuffix(b.ID.String()+"+"+b.Residual.String(), "+/")
	})
}

func treeText(t *testing.T, r *namerthrift.BindResult) string {
	t.Helper()
	require.NotNil(t, r.Success, "%+v", r.Failure)
	tree, err := r.Success.Tree.Value()
	require.NoError(t, err)
	return show(tree)
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), eventually)
	t.Cleanup(cancel)
	return ctx
}
