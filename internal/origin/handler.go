package origin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

// Seen is what /seen says of a request.
type Seen struct {
	Method, Proto, Host, URI string
	Header, Trailer          http.Header
	Body                     string
}

// Handler answers
//
//   - /pattern?seed=&size= with a Pattern; &chunk= flushes after so many bytes,
//     &unsized=1 leaves out the Content-Length
//   - /check?seed=&size= to an upload of a Pattern with 200 if it was right, 422 if
//     not, 400 if it broke off
//   - /refuse with 413, before the body is read
//   - /echo with the body, as it comes, and the request's trailers
//   - /seen with a Seen
//   - /sleep?ms= after a while
//   - /ws with WebSocket messages that say the same again
//   - anything else with "ok", after reading the body.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/pattern", pattern)
	mux.HandleFunc("/check", check)
	mux.HandleFunc("/refuse", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "too much", http.StatusRequestEntityTooLarge)
	})
	mux.HandleFunc("/echo", echo)
	mux.HandleFunc("/seen", seen)
	mux.HandleFunc("/sleep", sleep)
	mux.HandleFunc("/ws", socket)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "ok, "+r.Method+" of "+r.URL.Path+"\n")
	})
	return mux
}

func patternOf(r *http.Request) (Pattern, error) {
	q := r.URL.Query() // not the form: that may be a body
	seed, err1 := strconv.ParseUint(q.Get("seed"), 10, 32)
	size, err2 := strconv.ParseInt(q.Get("size"), 10, 64)
	return Pattern{Seed: uint32(seed), Size: size}, errors.Join(err1, err2)
}

func pattern(w http.ResponseWriter, r *http.Request) {
	p, err := patternOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if r.URL.Query().Get("unsized") == "" {
		w.Header().Set("Content-Length", strconv.FormatInt(p.Size, 10))
	}
	chunk, _ := strconv.Atoi(r.URL.Query().Get("chunk"))
	if chunk <= 0 {
		_, _ = io.CopyBuffer(onlyWriter{w}, p.Reader(), make([]byte, 64<<10))
		return
	}
	flush := http.NewResponseController(w).Flush
	for src := p.Reader(); ; {
		n, err := io.CopyN(w, src, int64(chunk))
		if n > 0 && flush() != nil || err != nil {
			return
		}
	}
}

// onlyWriter hides ReaderFrom, so that the buffer is used.
type onlyWriter struct{ io.Writer }

func check(w http.ResponseWriter, r *http.Request) {
	p, err := patternOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n, err := p.Check(r.Body)
	// An answer in the middle of an upload is a case of its own; here it should arrive.
	_, _ = io.Copy(io.Discard, r.Body)
	switch {
	case errors.Is(err, ErrWrongBytes), errors.Is(err, ErrTruncated):
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	default:
		fmt.Fprintf(w, "%d bytes are right\n", n)
	}
}

func echo(w http.ResponseWriter, r *http.Request) {
	c := http.NewResponseController(w)
	_ = c.EnableFullDuplex() // HTTP/2 has it anyway
	w.Header().Set("Content-Type", "application/octet-stream")
	for name := range r.Trailer {
		w.Header().Add("Trailer", name)
	}
	_ = c.Flush()
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Body.Read(buf)
		if _, failed := w.Write(buf[:n]); failed != nil || c.Flush() != nil {
			return
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			panic(http.ErrAbortHandler) // half a body must not look like a whole one
		}
	}
	maps.Copy(w.Header(), r.Trailer)
}

func seen(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(Seen{
		Method: r.Method, Proto: r.Proto, Host: r.Host, URI: r.RequestURI,
		Header: r.Header, Trailer: r.Trailer, Body: string(body),
	})
}

func sleep(w http.ResponseWriter, r *http.Request) {
	ms, _ := strconv.Atoi(r.URL.Query().Get("ms"))
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
		_, _ = io.WriteString(w, "slept\n")
	case <-r.Context().Done():
	}
}

func socket(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the page is of another origin
		Subprotocols:       []string{"echo"},
		CompressionMode:    websocket.CompressionContextTakeover,
	})
	if err != nil {
		return
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(16 << 20)
	for {
		kind, text, err := c.Read(r.Context())
		if err != nil {
			return
		}
		if err := c.Write(r.Context(), kind, text); err != nil {
			return
		}
	}
}
