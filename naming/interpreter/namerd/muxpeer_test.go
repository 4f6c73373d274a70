package namerd_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
)

// muxPeer is the server's side of a mux connection, by the specification.
type muxPeer struct {
	conn   net.Conn
	handle func(ctx context.Context, body []byte) (status byte, answer []byte)

	write sync.Mutex
	wg    sync.WaitGroup

	mu      sync.Mutex
	pending map[uint32]context.CancelFunc
}

func (p *muxPeer) send(typ int8, tag uint32, body []byte) {
	b := binary.BigEndian.AppendUint32(nil, uint32(4+len(body)))
	b = binary.BigEndian.AppendUint32(b, uint32(uint8(typ))<<24|tag)
	p.write.Lock()
	defer p.write.Unlock()
	p.conn.Write(append(b, body...))
}

// serve answers until the connection ends.
func (p *muxPeer) serve() {
	ctx, cancel := context.WithCancel(context.Background())
	defer p.wg.Wait()
	defer cancel()
	defer p.conn.Close()
	p.pending = map[uint32]context.CancelFunc{}
	for {
		var head [8]byte
		if _, err := io.ReadFull(p.conn, head[:]); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[:])-4)
		if _, err := io.ReadFull(p.conn, body); err != nil {
			return
		}
		typ, tag := int8(head[4]), binary.BigEndian.Uint32(head[4:])&0xffffff
		switch typ {
		case 65:
			p.send(-65, tag, nil)
		case 66:
			which := uint32(body[0])<<16 | uint32(body[1])<<8 | uint32(body[2])
			p.mu.Lock()
			stop := p.pending[which]
			delete(p.pending, which)
			p.mu.Unlock()
			if stop != nil {
				stop()
				p.send(-66, which, nil)
			}
		case 2:
			// No contexts, the empty destination, no dtab.
			if tag < 2 || tag > 1<<23-1 || len(body) < 6 || string(body[:6]) != "\x00\x00\x00\x00\x00\x00" {
				p.conn.Close()
				return
			}
			within, stop := context.WithCancel(ctx)
			p.mu.Lock()
			_, twice := p.pending[tag]
			p.pending[tag] = stop
			p.mu.Unlock()
			if twice {
				p.conn.Close()
				return
			}
			p.wg.Go(func() { p.dispatch(within, tag, body[6:]) })
		case -64:
			return
		default:
			p.send(-128, tag, []byte("Unexpected mux message type"))
			return
		}
	}
}

func (p *muxPeer) dispatch(ctx context.Context, tag uint32, body []byte) {
	status, answer := p.handle(ctx, body)
	p.mu.Lock()
	stop := p.pending[tag]
	delete(p.pending, tag)
	p.mu.Unlock()
	if stop == nil {
		return // discarded
	}
	stop()
	// One context, which is of no interest to the client.
	p.send(-2, tag, append([]byte{status, 0, 1, 0, 1, 'k', 0, 2, 'v', 'v'}, answer...))
}
