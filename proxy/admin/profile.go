package admin

import (
	"bytes"
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

func heapProfile(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("gc") == "true" {
		runtime.GC()
	}
	writeProfile(w, "heap")
}

func writeProfile(w http.ResponseWriter, name string) {
	var b bytes.Buffer
	if err := pprof.Lookup(name).WriteTo(&b, 0); err != nil {
		writeText(w, http.StatusInternalServerError, "admin: profile: "+err.Error())
		return
	}
	write(w, http.StatusOK, typeBinary, b.Bytes())
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
	}, func() { writeProfile(w, "mutex") })
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
