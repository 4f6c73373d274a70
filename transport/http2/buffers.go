package http2

import "sync"

// Buffers lets connections share the memory that they read into and write from, so
// that an idle connection holds none. The zero value is ready. It is safe for
// concurrent use.
type Buffers struct {
	in, out sync.Pool // of *buffer
}

const (
	// readBytes holds a frame of the default largest size and its header twice, so that
	// a frame cut at the end of a read rarely has to be moved.
	readBytes = 32 << 10
	// keepBytes is the largest write buffer that is worth keeping.
	keepBytes = 128 << 10
)

// buffer is a pointer's worth of a byte slice: putting one into a pool allocates
// nothing.
type buffer struct{ b []byte }

func (p *Buffers) reader() *buffer {
	if b, _ := p.in.Get().(*buffer); b != nil {
		return b
	}
	return &buffer{b: make([]byte, readBytes)}
}

func (p *Buffers) readerDone(b *buffer) {
	if len(b.b) == readBytes {
		p.in.Put(b)
	}
}

func (p *Buffers) writer() *buffer {
	if b, _ := p.out.Get().(*buffer); b != nil {
		return b
	}
	return &buffer{b: make([]byte, 0, 4<<10)}
}

func (p *Buffers) writerDone(b *buffer) {
	if cap(b.b) <= keepBytes {
		b.b = b.b[:0]
		p.out.Put(b)
	}
}
