package http2

import (
	"net/http"
	"time"
)

// dateText is a Date field's value and the second that it is for.
type dateText struct {
	unix int64
	text string
}

// dateNow returns the Date field's value, which is made once a second.
func (s *Server) dateNow() string {
	now := time.Now()
	if d := s.date.Load(); d != nil && d.unix == now.Unix() {
		return d.text
	}
	d := &dateText{now.Unix(), now.UTC().Format(http.TimeFormat)}
	s.date.Store(d)
	return d.text
}
