package http1

import (
	"net/http"
	"sync/atomic"
	"time"
)

// dates makes the text of Date fields once a second. Its zero value is ready, and safe
// for concurrent use.
type dates struct{ last atomic.Pointer[date] }

type date struct {
	second int64
	text   string
}

// at returns the text for a time.
func (d *dates) at(now time.Time) string {
	second := now.Unix()
	if last := d.last.Load(); last != nil && last.second == second {
		return last.text
	}
	text := now.UTC().Format(http.TimeFormat)
	d.last.Store(&date{second, text})
	return text
}

// appendDate appends the Date field, unless that is left to the Handler.
func (s *Server) appendDate(dst []byte) []byte {
	if s.o.NoDate {
		return dst
	}
	dst = append(dst, "Date: "...)
	dst = append(dst, s.dates.at(time.Now())...)
	return append(dst, "\r\n"...)
}
