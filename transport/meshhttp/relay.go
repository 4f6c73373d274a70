package meshhttp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// errNotDuplex is about a switched protocol whose connection only reads.
var errNotDuplex = errors.New("meshhttp: the switched protocol cannot be written to")

// relay joins the caller's connection with that of a switched protocol or a
// tunnel. Each direction ends when its sender ends it; if the end cannot be passed
// on, or a direction fails, both do.
func relay(w http.ResponseWriter, resp *http.Response, tunnel func(net.Conn) net.Conn) error {
	upstream, ok := resp.Body.(io.ReadWriter)
	if !ok {
		return errors.Join(errAborted, errNotDuplex)
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return errors.Join(errAborted, err)
	}
	if tunnel != nil {
		conn = tunnel(conn)
	}
	defer conn.Close() //nolint:errcheck // it has been used up
	if err := writeSwitch(buffered.Writer, resp); err != nil {
		return err
	}
	// What the server had read ahead comes first. The rest is read past its reader,
	// which would end the request's context when the caller ends its half.
	ahead, err := buffered.Peek(buffered.Reader.Buffered())
	if err != nil {
		return err
	}
	up := make(chan error, 1)
	go func() {
		err := oneWay(upstream, io.MultiReader(bytes.NewReader(ahead), conn))
		if err != nil {
			_ = resp.Body.Close() // ends the other direction
		}
		up <- err
	}()
	down := oneWay(conn, upstream)
	if down != nil {
		_ = conn.Close() // ends the other direction
	}
	return errors.Join(down, <-up)
}

// oneWay copies until src ends and passes the end on.
func oneWay(dst io.Writer, src io.Reader) error {
	if _, err := io.Copy(dst, src); err != nil {
		return err
	}
	if c, ok := dst.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return http.ErrNotSupported
}

// writeSwitch sends the head of a response that ends HTTP on the connection.
// Response.Write would give a 200 a Content-Length.
func writeSwitch(w *bufio.Writer, resp *http.Response) error {
	if _, err := fmt.Fprintf(w, "HTTP/1.1 %d %s\r\n", resp.StatusCode, http.StatusText(resp.StatusCode)); err != nil {
		return err
	}
	if err := resp.Header.Write(w); err != nil {
		return err
	}
	if _, err := w.WriteString("\r\n"); err != nil {
		return err
	}
	return w.Flush()
}
