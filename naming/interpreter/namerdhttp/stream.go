package namerdhttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

// maxItem is how long an item of a stream may be.
const maxItem = 64 << 20

// stream hands the items of a stream to use until it ends.
func stream(ctx context.Context, s *session, api string, query url.Values, use func(json.RawMessage)) error {
	body, err := s.get(ctx, api, query)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	return items(body, maxItem, use)
}

// items reads JSON documents of at most limit bytes one after the other. It returns nil at the end, a
// *remote.CutError if the stream was cut, and what namerd wrote if that is not
// JSON: it says so what went wrong in a stream that has begun.
func items(r io.Reader, limit int, use func(json.RawMessage)) error {
	limited := &limitedReader{r: r}
	dec := json.NewDecoder(limited)
	for {
		limited.left = limit
		var item json.RawMessage
		err := dec.Decode(&item)
		var bad *json.SyntaxError
		switch {
		case err == nil:
			use(item)
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errItemTooLong):
			return err
		case errors.As(err, &bad):
			return fmt.Errorf("namerd says: %s", excerpt(io.MultiReader(dec.Buffered(), limited)))
		default:
			return &remote.CutError{Err: fmt.Errorf("the answer was cut: %w", err)}
		}
	}
}

var errItemTooLong = errors.New("an item in namerd's answer is too long")

// limitedReader bounds what is read for one item.
type limitedReader struct {
	r    io.Reader
	left int
}

func (l *limitedReader) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, errItemTooLong
	}
	n, err := l.r.Read(b[:min(len(b), l.left)])
	l.left -= n
	return n, err
}
