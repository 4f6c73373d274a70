package http2

import (
	"io"
	"sync"
)

// bufferPool keeps the buffers of uploads.
type bufferPool struct{ pool sync.Pool }

func (p *bufferPool) get() *[]byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 32<<10)
	return &b
}

func (p *bufferPool) put(b *[]byte) { p.pool.Put(b) }

// uploading says that body is being sent.
func (x *exchange) uploading(body io.ReadCloser) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.body = body
}

// closeUpload closes the body that was being sent.
func (x *exchange) closeUpload() {
	x.mu.Lock()
	body := x.body
	x.body = nil
	x.mu.Unlock()
	if body != nil {
		_ = body.Close()
	}
}

// closeUploadAside closes the body that is being sent, by which a Read of it that is
// under way returns. It is for those who must not wait.
func (x *exchange) closeUploadAside() {
	x.mu.Lock()
	uploading := x.body != nil
	x.mu.Unlock()
	if uploading {
		go x.closeUpload()
	}
}

// requestSent says that the whole request is on its way.
func (x *exchange) requestSent() {
	x.mu.Lock()
	x.sent = true
	x.mu.Unlock()
	if x.written != nil {
		x.written()
	}
}

// tunnel is the Body of a response to CONNECT: what is written to it goes to the peer.
type tunnel struct{ x *exchange }

// Read implements io.Reader.
func (t *tunnel) Read(p []byte) (int, error) { return t.x.in.Read(p) }

// Write implements io.Writer. It waits until the peer's window takes p, but for a
// bounded rest.
func (t *tunnel) Write(p []byte) (int, error) {
	n, err := t.x.out.write(p, false)
	t.x.stream.conn.Flush()
	return n, err
}

// CloseWrite ends the sending side.
func (t *tunnel) CloseWrite() error {
	t.x.mu.Lock()
	sent := t.x.sent
	t.x.sent = true
	t.x.mu.Unlock()
	if sent {
		return nil
	}
	_, err := t.x.stream.SendData(nil, true)
	t.x.stream.conn.Flush()
	if t.x.in.complete() {
		t.x.finish()
	}
	return err
}

// Close ends both sides. What was written is still delivered; if the peer goes on
// sending, the stream is reset.
func (t *tunnel) Close() error {
	err := t.CloseWrite()
	t.x.in.discard()
	return err
}
