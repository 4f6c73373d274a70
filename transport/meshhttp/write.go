package meshhttp

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/weft-mesh/weft/transport/http1"
)

// errAborted says that a response's body ended early.
var errAborted = errors.New("meshhttp: the response was cut off")

const (
	copyBuffer = 32 << 10
	// streamAfter is the Content-Length from which on a response is passed on as it
	// comes: the server's own buffer would hold back the beginning of it.
	streamAfter = 4 << 10
)

// write sends resp to the caller of a Handler, and returns the length of its body.
func (h *Handler) write(w http.ResponseWriter, r *http.Request, resp *http.Response) (int64, error) {
	if resp.StatusCode == http.StatusSwitchingProtocols || r.Method == http.MethodConnect && resp.StatusCode/100 == 2 {
		return 0, relay(w, resp, h.opts.Tunnel)
	}
	if enc := compressor(h.opts.Compression, r, resp); enc != nil {
		return enc.write(w, r, resp, &h.buffers, &h.gzip)
	}
	return writeResponse(w, r, resp, &h.buffers)
}

// streams reports whether a response is passed on as it arrives.
func streams(resp *http.Response) bool {
	return resp.ContentLength < 0 || resp.ContentLength > streamAfter
}

// writeResponse copies resp to w, trailers included, and returns the length of its body,
// which is left open. pool has the buffers for it and may be nil.
func writeResponse(w http.ResponseWriter, r *http.Request, resp *http.Response, pool *sync.Pool) (int64, error) {
	announced := writeHead(w, r, resp)
	if resp.Body == nil || resp.Body == http.NoBody {
		return 0, nil
	}
	n, err := copyBody(w, resp.Body, streams(resp), pool)
	if err != nil {
		return n, errors.Join(errAborted, err)
	}
	writeTrailers(w, resp, announced)
	return n, nil
}

// writeHead sends the head and returns the names of the trailers that it announces.
func writeHead(w http.ResponseWriter, r *http.Request, resp *http.Response) (announced []string) {
	head := w.Header()
	adopter, adopts := w.(http1.HeaderAdopter)
	if adopts {
		// The engine writes the head from it at once, and needs it no longer.
		adopter.UseHeader(resp.Header)
		defer adopter.UseHeader(head)
		head = resp.Header
	} else {
		maps.Copy(head, resp.Header)
		if _, ok := head["Content-Type"]; !ok {
			head["Content-Type"] = nil // keeps net/http from guessing one
		}
	}
	if len(resp.Trailer) > 0 && r.ProtoAtLeast(1, 1) {
		for name := range resp.Trailer {
			announced = append(announced, name)
		}
		head["Trailer"] = []string{strings.Join(announced, ", ")}
	}
	w.WriteHeader(resp.StatusCode)
	return announced
}

// writeTrailers sends those trailers that were announced and those that were not.
func writeTrailers(w http.ResponseWriter, resp *http.Response, announced []string) {
	for name, values := range resp.Trailer {
		if !slices.Contains(announced, name) {
			name = http.TrailerPrefix + name
		}
		w.Header()[name] = values
	}
}

// copyBody copies src to w and returns how much that was. A stream is flushed with every piece, because its
// sender may be waiting for a reaction to it.
func copyBody(w http.ResponseWriter, src io.Reader, stream bool, pool *sync.Pool) (total int64, err error) {
	if !stream {
		return io.Copy(w, src)
	}
	rc := http.NewResponseController(w)
	if err := flush(rc); err != nil {
		return 0, err
	}
	buf := bufferFrom(pool)
	if pool != nil {
		defer pool.Put(buf)
	}
	for {
		n, err := src.Read(*buf)
		if n > 0 {
			total += int64(n)
			if _, werr := w.Write((*buf)[:n]); werr != nil {
				return total, werr
			}
			if ferr := flush(rc); ferr != nil {
				return total, ferr
			}
		}
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

func bufferFrom(pool *sync.Pool) *[]byte {
	if pool != nil {
		if buf, ok := pool.Get().(*[]byte); ok {
			return buf
		}
	}
	buf := make([]byte, copyBuffer)
	return &buf
}

// flush sends what is buffered; a writer without buffers has nothing to send.
func flush(rc *http.ResponseController) error {
	if err := rc.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
