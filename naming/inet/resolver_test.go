package inet_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/inet"
)

type state = naming.State[weft.EndpointSet]

// addrs is the state as text: addresses in order, or what it is instead.
func addrs(src weft.Source[state]) string {
	s, _ := src.Load()
	text := ""
	switch {
	case s.Pending():
		return "pending"
	case !s.Known:
		return "failed"
	case s.Value.Neg:
		text = "neg"
	default:
		for _, e := range s.Value.Endpoints {
			text += " " + e.Addr
		}
		if text == "" {
			text = " empty"
		}
		text = text[1:]
	}
	if s.Err != nil {
		text += " (stale)"
	}
	return text
}

// newResolver returns a resolver that is closed with the test; six says whether
// the machine has IPv6.
func newResolver(t *testing.T, dns inet.Lookup, six bool) *inet.Resolver {
	t.Helper()
	r := inet.New(inet.Options{Lookup: dns, InterfaceAddrs: func() ([]net.Addr, error) {
		if six {
			return []net.Addr{&net.IPNet{IP: net.ParseIP("2001:db8::99")}}, nil
		}
		return []net.Addr{&net.IPNet{IP: net.ParseIP("fe80::1")}, &net.IPNet{IP: net.ParseIP("::1")}}, nil
	}})
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	return r
}

func TestAnswers(t *testing.T) {
	dns := newFakeDNS()
	dns.set("web", "10.0.0.2", "10.0.0.1", "10.0.0.2")
	dns.set("both", "2001:db8::1", "10.0.0.1")
	dns.set("six", "2001:db8::1")
	dns.set("mapped", "::ffff:10.0.0.1")
	dns.set("none")
	for _, tt := range []struct {
		host, port string
		six        bool
		want       string
	}{
		{"web", "80", false, "10.0.0.1:80 10.0.0.2:80"},
		{"WEB", "080", false, "10.0.0.1:80 10.0.0.2:80"},
		{"web", "+80", false, "10.0.0.1:80 10.0.0.2:80"},
		{"web", "0", false, "10.0.0.1:0 10.0.0.2:0"},
		{"web", "65536", false, "failed"},
		{"web", "-1", false, "failed"},
		{"web", "http", false, "failed"},
		{"web", "", false, "failed"},
		{"both", "80", false, "10.0.0.1:80"},
		{"both", "80", true, "10.0.0.1:80 [2001:db8::1]:80"},
		{"six", "80", false, "empty"},
		{"six", "80", true, "[2001:db8::1]:80"},
		{"mapped", "80", false, "10.0.0.1:80"},
		{"none", "80", false, "empty"},
		{"unknown", "80", false, "neg"},
		{"localhost", "80", false, "127.0.0.1:80"},
		{"", "80", false, "127.0.0.1:80"},
		{"127.1", "80", false, "127.0.0.1:80"},
		{"::1", "80", false, "[::1]:80"},
	} {
		t.Run(fmt.Sprintf("%s_%s_%t", tt.host, tt.port, tt.six), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newResolver(t, dns, tt.six)
				src := r.Resolve(t.Context(), tt.host, tt.port)
				synctest.Wait()
				assert.Equal(t, tt.want, addrs(src))
				once := r.ResolveOnce(t.Context(), tt.host, tt.port)
				synctest.Wait()
				assert.Equal(t, tt.want, addrs(once))
			})
		})
	}
	for _, never := range []string{"localhost", "", "127.1", "::1"} {
		assert.Zero(t, dns.count(never), "%q was looked up", never)
	}
}

func TestBadPortSaysSo(t *testing.T) {
	r := newResolver(t, newFakeDNS(), false)
	s, stale := r.Resolve(t.Context(), "web", "-1").Load()
	require.ErrorIs(t, s.Err, inet.ErrBadPort)
	assert.EqualError(t, s.Err, `inet: port "-1" of host "web": must be a number from 0 to 65535`)
	assert.Nil(t, stale, "it never changes")
}

func TestNameIsLookedUpAgainWhileObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := newFakeDNS()
		dns.takes = time.Second
		dns.set("web", "10.0.0.1")
		r := newResolver(t, dns, false)
		ctx, cancel := context.WithCancel(t.Context())
		src := r.Resolve(ctx, "web", "80")
		assert.Equal(t, "pending", addrs(src))
		time.Sleep(1100 * time.Millisecond)
		assert.Equal(t, "10.0.0.1:80", addrs(src))

		_, stale := src.Load()
		time.Sleep(12 * time.Second)
		assert.Equal(t, 3, dns.count("web"), "every 5 s, and the look-up takes 1 s")
		select {
		case <-stale:
			t.Error("the same answer was published again")
		default:
		}

		dns.set("web", "10.0.0.2")
		time.Sleep(6 * time.Second)
		assert.Equal(t, "10.0.0.2:80", addrs(src))

		dns.fail(errors.New("no route to name server"))
		time.Sleep(6 * time.Second)
		assert.Equal(t, "10.0.0.2:80 (stale)", addrs(src))
		dns.fail(nil)
		time.Sleep(3 * time.Second)
		assert.Equal(t, "10.0.0.2:80", addrs(src), "the same answer, no longer stale, soon after")

		dns.remove("web")
		time.Sleep(6 * time.Second)
		assert.Equal(t, "neg", addrs(src))
		dns.set("web")
		time.Sleep(6 * time.Second)
		assert.Equal(t, "empty", addrs(src), "an empty set is not the same as none")

		cancel()
		time.Sleep(10 * time.Second)
		n := dns.count("web")
		time.Sleep(time.Minute)
		assert.Equal(t, n, dns.count("web"), "nobody observes it")
	})
}

func TestFailureBeforeTheFirstAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := newFakeDNS()
		cause := errors.New("no route to name server")
		dns.fail(cause)
		dns.set("web", "10.0.0.1")
		r := newResolver(t, dns, false)
		src := r.Resolve(t.Context(), "web", "80")
		synctest.Wait()
		s, _ := src.Load()
		assert.False(t, s.Known)
		require.ErrorIs(t, s.Err, cause)
		assert.EqualError(t, s.Err, `inet: look up "web": no route to name server`)
		dns.fail(nil)
		time.Sleep(1100 * time.Millisecond)
		assert.Equal(t, "10.0.0.1:80", addrs(src))
	})
}

func TestLookupThatHangsTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := newFakeDNS()
		dns.takes = time.Hour
		r := newResolver(t, dns, false)
		src := r.Resolve(t.Context(), "web", "80")
		time.Sleep(9 * time.Second)
		assert.Equal(t, "pending", addrs(src))
		time.Sleep(2 * time.Second)
		assert.Equal(t, "failed", addrs(src))
	})
}

func TestObserversShareOnePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := newFakeDNS()
		dns.set("web", "10.0.0.1")
		r := newResolver(t, dns, false)
		for range 50 {
			r.Resolve(t.Context(), "web", "80")
			r.Resolve(t.Context(), "Web", "080")
		}
		synctest.Wait()
		assert.Equal(t, 1, dns.count("web"))
	})
}

func TestAtMostOneHundredLookupsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := newFakeDNS()
		dns.takes = time.Second
		r := newResolver(t, dns, false)
		for i := range 250 {
			host := fmt.Sprintf("h%d", i)
			dns.set(host, "10.0.0.1")
			r.Resolve(t.Context(), host, "80")
		}
		time.Sleep(3500 * time.Millisecond)
		assert.Equal(t, 100, dns.peak())
		assert.Equal(t, "10.0.0.1:80", addrs(r.Resolve(t.Context(), "h249", "80")))
	})
}

func TestOnceIsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := newFakeDNS()
		dns.set("web", "10.0.0.1")
		dns.fail(errors.New("no route to name server"))
		r := newResolver(t, dns, false)
		ctx, cancel := context.WithCancel(t.Context())
		src := r.ResolveOnce(ctx, "web", "80")
		gone := r.ResolveOnce(ctx, "gone", "80")
		synctest.Wait()
		assert.Equal(t, "failed", addrs(src))
		dns.fail(nil)
		time.Sleep(2 * time.Second)
		assert.Equal(t, "10.0.0.1:80", addrs(src), "failures are retried")
		assert.Equal(t, "neg", addrs(gone))

		n := dns.count("web") + dns.count("gone")
		dns.set("web", "10.0.0.9")
		dns.set("gone", "10.0.0.9")
		time.Sleep(time.Hour)
		cancel()
		time.Sleep(time.Hour) // the poll is long gone; what it found is not
		src = r.ResolveOnce(t.Context(), "web", "81")
		gone = r.ResolveOnce(t.Context(), "gone", "81")
		synctest.Wait()
		assert.Equal(t, "10.0.0.1:81", addrs(src))
		assert.Equal(t, "neg", addrs(gone))
		assert.Equal(t, n, dns.count("web")+dns.count("gone"))
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := newFakeDNS()
		dns.takes = time.Minute
		r := newResolver(t, dns, false)
		src := r.Resolve(t.Context(), "web", "80")
		synctest.Wait()
		require.NoError(t, r.Close())
		require.NoError(t, r.Close())
		assert.Equal(t, "pending", addrs(src))
		s, _ := r.Resolve(t.Context(), "web", "80").Load()
		assert.ErrorIs(t, s.Err, naming.ErrClosed)
	})
}
