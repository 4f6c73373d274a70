package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Stream sends a request whose answer is a stream of JSON documents and hands them to
// use until the stream ends, which is no error, ctx does, or use returns an error.
func (c *Client) Stream(ctx context.Context, r Request, use func(json.RawMessage) error) error {
	rsp, err := c.open(ctx, r)
	if err != nil {
		return err
	}
	defer rsp.Body.Close() //nolint:errcheck // it has ended, or does now
	limited := &limitedReader{r: rsp.Body}
	dec := json.NewDecoder(limited)
	for {
		limited.left = maxBody
		var item json.RawMessage
		err := dec.Decode(&item)
		var bad *json.SyntaxError
		switch {
		case err == nil:
			if err := use(item); err != nil {
				return err
			}
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad): // what goes wrong in a stream that has begun is text in it
			b, _ := io.ReadAll(io.LimitReader(io.MultiReader(dec.Buffered(), limited), 4096))
			return fmt.Errorf("namerd says: %s", oneLine(string(b)))
		default:
			return &TransportError{Method: r.method(), URL: urlOf(rsp), Sent: true, Err: because(ctx, err)}
		}
	}
}

// limitedReader bounds what is read for one item.
type limitedReader struct {
	r    io.Reader
	left int
}

// Read implements io.Reader.
func (l *limitedReader) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTooLong
	}
	n, err := l.r.Read(b[:min(len(b), l.left)])
	l.left -= n
	return n, err
}
