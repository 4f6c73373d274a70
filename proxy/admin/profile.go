package admin

import (
	"bytes"
	"cmp"
	"net/http"
	"runtime"
	"runtime/pprof"
	"strconv"
	"time"
)

// How long a profile is taken.
const (
	defaultProfile = 10 * time.Second
	maxProfile     = 5 * time.Minute
)

// snapshot is a profile of what there is now. ?gc=true or 1 collects garbage before;
// ?debug=1 is text, and 2 for goroutines the whole stack of each.
func snapshot(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		debug, err := strconv.Atoi(cmp.Or(q.Get("debug"), "0"))
		if err != nil || debug < 0 || debug > 2 {
			writeText(w, http.StatusBadRequest, "admin: profile: debug has to be 0, 1 or 2")
			return
		}
		if gc := q.Get("gc"); gc == "true" || gc == "1" {
			runtime.GC()
		}
		writeProfile(w, name, debug)
	}
}

func writeProfile(w http.ResponseWriter, name string, debug int) {
	var b bytes.Buffer
	if err := pprof.Lookup(name).WriteTo(&b, debug); err != nil {
		writeText(w, http.StatusInternalServerError, "admin: profile: "+err.Error())
		return
	}
	kind := typeBinary
	if debug > 0 {
		kind = typeText
	}
	write(w, http.StatusOK, kind, b.Bytes())
}

// cpuProfile profiles for ?seconds. ?hz is accepted and has no effect: the rate of
// Go's profiler is fixed.
func (s *Server) cpuProfile(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	s.profile(w, r, func() (stop func(), err error) {
		return pprof.StopCPUProfile, pprof.StartCPUProfile(&b)
	}, func() { write(w, http.StatusOK, typeBinary, b.Bytes()) })
}

// contentionProfile shows where goroutines waited for locks. The runtime records
// that while somebody asks only; the profile holds what was recorded earlier too.
func (s *Server) contentionProfile(w http.ResponseWriter, r *http.Request) {
	s.profile(w, r, func() (stop func(), err error) {
		before := runtime.SetMutexProfileFraction(1)
		return func() { runtime.SetMutexProfileFraction(before) }, nil
	}, func() { writeProfile(w, "mutex", 0) })
}

// profile runs one profile at a time, until its time is up, the client has gone or
// the server ends.
func (s *Server) profile(w http.ResponseWriter, r *http.Request, start func() (func(), error), done func()) {
	length, ok := profileTime(r.URL.Query().Get("seconds"))
	switch {
	case !ok:
		writeText(w, http.StatusBadRequest, "admin: profile: seconds has to be a number above 0 and at most "+
			strconv.Itoa(int(maxProfile/time.Second)))
		return
	case r.Method == http.MethodHead:
		w.Header().Set("Content-Type", typeBinary)
		return
	case !s.profiling.TryLock():
		writeText(w, http.StatusConflict, "admin: profile: another one is being taken")
		return
	}
	defer s.profiling.Unlock()
	stop, err := start()
	if err != nil {
		writeText(w, http.StatusConflict, "admin: profile: "+err.Error())
		return
	}
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	case <-s.closing:
	}
	stop()
	done()
}

func profileTime(seconds string) (time.Duration, bool) {
	if seconds == "" {
		return defaultProfile, true
	}
	n, err := strconv.ParseFloat(seconds, 64)
	if err != nil || !(n > 0 && n <= maxProfile.Seconds()) {
		return 0, false
	}
	return time.Duration(n * float64(time.Second)), true
}
