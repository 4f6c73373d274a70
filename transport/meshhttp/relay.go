package meshhttp

import (
	"errors"
	"io"
	"net/http"
)

// relay joins the caller's connection with that of a switched protocol or a
// tunnel, until both directions have ended.
func relay(w http.ResponseWriter, _ *http.Request, resp *http.Response) error {
	defer resp.Body.Close() //nolint:errcheck // it has been used up
	upstream, ok := resp.Body.(io.ReadWriter)
	if !ok {
		return errors.Join(errAborted, errors.New("meshhttp: the switched protocol cannot be written to"))
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return errors.Join(errAborted, err)
	}
	defer conn.Close() //nolint:errcheck // it has been used up

	head := *resp
	head.Body, head.ContentLength = nil, 0
	if head.Header == nil {
		head.Header = http.Header{}
	}
	if err := head.Write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	up := make(chan error, 1)
	go func() {
		_, err := io.Copy(upstream, buffered) // what the server had read ahead comes first
		if c, ok := upstream.(interface{ CloseWrite() error }); ok && err == nil {
			err = c.CloseWrite()
		}
		up <- err
	}()
	_, down := io.Copy(conn, upstream)
	if c, ok := conn.(interface{ CloseWrite() error }); ok && down == nil {
		_ = c.CloseWrite() // the caller may still be sending
	} else {
		_ = conn.Close() // ends the other direction
	}
	return errors.Join(down, <-up)
}
