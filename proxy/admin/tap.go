package admin

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/weft-mesh/weft/tap"
)

const (
	typeNDJSON = "application/x-ndjson"

	// tapBeat is how often a watcher is told what it has missed, and whether it is
	// still there found out.
	tapBeat = time.Second

	// tapWrite is for how long a watcher may take nothing before it is given up.
	tapWrite = 30 * time.Second
)

// tap streams the requests that the query wants, a line of JSON each, until the client
// leaves, the server shuts down or the limit is reached.
func (x *site) tap(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", typeNDJSON)
		return
	}
	o, limit, err := tap.ParseQuery(r.URL.Query())
	if err != nil {
		writeText(w, http.StatusBadRequest, "admin: "+err.Error())
		return
	}
	watcher, err := x.opts.Tap.Watch(o)
	if err != nil {
		status := http.StatusServiceUnavailable
		if errors.Is(err, tap.ErrTooMany) {
			status = http.StatusTooManyRequests
		}
		writeText(w, status, "admin: "+err.Error())
		return
	}
	defer func() { _ = watcher.Close() }() // never fails
	w.Header().Set("Content-Type", typeNDJSON)
	w.WriteHeader(http.StatusOK)
	s := tapStream{control: http.NewResponseController(w), encoder: json.NewEncoder(w)}
	s.encoder.SetEscapeHTML(false)
	if s.flush() != nil {
		return
	}
	beat := time.NewTicker(tapBeat)
	defer beat.Stop()
	for sent := 0; limit == 0 || sent < limit; {
		var err error
		select {
		case e := <-watcher.Events():
			sent++
			if err = s.write(e); err == nil && len(watcher.Events()) == 0 {
				err = s.flush()
			}
		case <-beat.C:
			err = s.missed(watcher.Dropped())
		case <-watcher.Ended():
			return
		case <-x.server.closing:
			return
		case <-r.Context().Done():
			return
		}
		if err != nil {
			return // the client is gone
		}
	}
	_ = s.missed(watcher.Dropped()) // the last line, if somebody is there to read it
}

// tapStream writes lines to a watcher.
type tapStream struct {
	control *http.ResponseController
	encoder *json.Encoder
}

func (s *tapStream) write(v any) error {
	// Not all writers have deadlines: of those that have none, the client's leaving is
	// the end.
	_ = s.control.SetWriteDeadline(time.Now().Add(tapWrite))
	return s.encoder.Encode(v)
}

func (s *tapStream) flush() error { return s.control.Flush() }

// missed tells how many requests were not shown.
func (s *tapStream) missed(n uint64) error {
	if n == 0 {
		return nil
	}
	line := struct {
		Dropped uint64 `json:"dropped"`
	}{n}
	if err := s.write(line); err != nil {
		return err
	}
	return s.flush()
}
