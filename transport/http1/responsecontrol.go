package http1

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// EnableFullDuplex is there for http.ResponseController. A Server is always full duplex.
func (w *response) EnableFullDuplex() error { return nil }

// SetReadDeadline has reads of this request's body end at a time.
func (w *response) SetReadDeadline(at time.Time) error {
	if w.ended {
		return errEnded
	}
	return w.x.c.deadline.restrict(at)
}

// SetWriteDeadline has writes of this response end at a time.
func (w *response) SetWriteDeadline(at time.Time) error {
	if w.ended {
		return errEnded
	}
	w.resetWrite = true
	return w.x.c.nc.SetWriteDeadline(at)
}

// Hijack implements http.Hijacker. What has been read is in the reader's buffer; a body
// that was not read is part of it.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.ended {
		return nil, nil, http.ErrHijacked
	}
	x := w.x
	c := x.c
	if w.status != 0 && !w.framed {
		w.flush(nil, false)
	}
	if w.err != nil {
		return nil, nil, w.err
	}
	if x.body != nil {
		x.body.shut()
	}
	c.watch.close()
	c.deadline.unrestrict()
	if err := c.deadline.clear(); err != nil {
		return nil, nil, err
	}
	if w.resetWrite || c.srv.o.WriteTimeout > 0 {
		if err := c.nc.SetWriteDeadline(time.Time{}); err != nil {
			return nil, nil, err
		}
	}
	w.ended, c.hijacked = true, true
	head := bytes.Clone(c.work.reader.buffered())
	if c.pending {
		head = append(head, c.one[0])
		c.pending = false
	}
	c.unhook()
	c.srv.forget(c)
	var src io.Reader = c.nc
	if len(head) > 0 {
		src = io.MultiReader(bytes.NewReader(head), c.nc)
	}
	br := bufio.NewReaderSize(src, max(len(head), bufferSize))
	if _, err := br.Peek(len(head)); err != nil { // whoever takes over asks how much is buffered
		return nil, nil, err
	}
	return c.nc, bufio.NewReadWriter(br, bufio.NewWriterSize(c.nc, bufferSize)), nil
}

// ReadFrom implements io.ReaderFrom: long bodies from connections and files are moved by
// the kernel, and others read right into the buffer that they are sent from.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	if err := w.admit(0); err != nil {
		return 0, err
	}
	if w.bodiless {
		return io.Copy(struct{ io.Writer }{w}, src) // nothing but Write
	}
	if w.direct(src) {
		return w.move(src)
	}
	live := isLive(src)
	var total int64
	for {
		if live && len(w.out) > w.bodyAt {
			// What has come may be waited for, and the rest may take its time.
			if w.flush(nil, false); w.err != nil {
				return total, w.err
			}
		}
		if cap(w.out)-len(w.out) < 1<<10 {
			if w.flush(nil, false); w.err != nil {
				return total, w.err
			}
		}
		n, err := src.Read(w.out[len(w.out):cap(w.out)])
		if n > 0 {
			if aerr := w.admit(n); aerr != nil {
				return total, aerr
			}
			w.out = w.out[:len(w.out)+n]
			total += int64(n)
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// isLive reports whether src is a connection, maybe limited.
func isLive(src io.Reader) bool {
	if lim, ok := src.(*io.LimitedReader); ok {
		src = lim.R
	}
	_, ok := src.(net.Conn)
	return ok
}

// direct reports whether the kernel can move the body from src.
func (w *response) direct(src io.Reader) bool {
	c := w.x.c
	if c.tcp == nil || c.srv.o.WriteTimeout > 0 || w.declared-w.written < spliceLeast {
		return false
	}
	if lim, ok := src.(*io.LimitedReader); ok {
		if lim.N < spliceLeast {
			return false
		}
		src = lim.R
	}
	switch src.(type) {
	case *net.TCPConn, *os.File:
		return true
	}
	return false
}

// move has the kernel move the body from src, which must end where it has to.
func (w *response) move(src io.Reader) (int64, error) {
	if w.flush(nil, false); w.err != nil {
		return 0, w.err
	}
	left := w.declared - w.written
	if lim, ok := src.(*io.LimitedReader); !ok || lim.N > left {
		src = &io.LimitedReader{R: src, N: left}
	}
	n, err := w.x.c.tcp.ReadFrom(src)
	w.written += n
	w.x.c.sent(n)
	return n, err
}
