package http2

import (
	"errors"
	"time"

	xhttp2 "golang.org/x/net/http2"
)

// alarm is the one timer of a connection. Times are since the connection began; 0: none.
// It is looked after by the connection's lock.
type alarm struct {
	timer     *time.Timer
	at        time.Duration // when it rings
	settings  time.Duration
	block     time.Duration // the header block that has begun must have ended
	drain     time.Duration // the second GOAWAY, whether the PING came back or not
	life      time.Duration
	idleSince time.Duration // -1: not idle
	pinged    time.Duration // when the PING that is not yet answered was sent
}

var errKeepAlive = errors.New("http2: the peer does not answer PING")

// startAlarm is called when the reader begins.
func (c *Conn) startAlarm() {
	c.mu.Lock()
	c.alarm.settings = c.now() + c.o.SettingsTimeout
	if c.o.LifeTime > 0 {
		c.alarm.life = c.now() + c.o.LifeTime
	}
	c.alarm.idleSince = -1
	if len(c.streams) == 0 && !c.life.over {
		c.idle()
	}
	c.setAlarm()
	c.mu.Unlock()
}

func (c *Conn) stopAlarm() {
	if c.alarm.timer != nil {
		c.alarm.timer.Stop()
	}
}

// setAlarm has the alarm ring at the earliest of what is waited for.
func (c *Conn) setAlarm() {
	a := &c.alarm
	var next time.Duration
	earlier := func(t time.Duration) {
		if t > 0 && (next == 0 || t < next) {
			next = t
		}
	}
	earlier(a.settings)
	earlier(a.block)
	earlier(a.drain)
	earlier(a.life)
	if c.o.IdleTimeout > 0 && a.idleSince >= 0 {
		earlier(a.idleSince + c.o.IdleTimeout)
	}
	if c.o.KeepAlive > 0 {
		if a.pinged > 0 {
			earlier(a.pinged + c.o.KeepAliveTimeout)
		} else {
			earlier(time.Duration(c.lastRead.Load()) + c.o.KeepAlive)
		}
	}
	switch {
	case next == 0 || c.life.over || a.at != 0 && a.at <= next:
		return
	case a.timer == nil:
		a.timer = time.AfterFunc(next-c.now(), c.ring)
	default:
		a.timer.Reset(next - c.now())
	}
	a.at = next
}

func (c *Conn) ring() {
	c.mu.Lock()
	if c.life.over {
		c.mu.Unlock()
		return
	}
	a, now := &c.alarm, c.now()
	a.at = 0
	past := func(t time.Duration) bool { return t > 0 && now >= t }
	if past(a.settings) {
		a.settings = 0
		c.fail(&ProtocolError{Code: xhttp2.ErrCodeSettingsTimeout, Reason: "no preface or no answer to SETTINGS in time"})
	}
	if past(a.block) {
		a.block = 0
		c.fail(&ProtocolError{Code: xhttp2.ErrCodeEnhanceYourCalm, Reason: "header block not ended in time"})
	}
	if past(a.drain) {
		c.refuse()
	}
	if past(a.life) {
		a.life = 0
		c.drain()
	}
	if c.o.IdleTimeout > 0 && a.idleSince >= 0 && now >= a.idleSince+c.o.IdleTimeout {
		a.idleSince = -1
		c.drain()
	}
	if c.o.KeepAlive > 0 {
		c.keepAlive(now)
	}
	c.setAlarm()
	c.unlock()
	c.Flush()
}

// keepAlive asks for a sign of life; any frame is one.
func (c *Conn) keepAlive(now time.Duration) {
	a, read := &c.alarm, time.Duration(c.lastRead.Load())
	switch {
	case a.pinged > 0 && read >= a.pinged:
		a.pinged = 0
	case a.pinged > 0 && now >= a.pinged+c.o.KeepAliveTimeout:
		a.pinged = 0
		c.fail(errKeepAlive)
	case a.pinged == 0 && now >= read+c.o.KeepAlive:
		a.pinged = now
		c.appendPing(false, []byte("weftping"))
	}
}
