package http2

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// upgrade is the request that an HTTP/1.1 upgrade came with.
type upgrade struct {
	fields []hpack.HeaderField
	body   []byte
}

// Upgraded makes the request of an HTTP/1.1 upgrade to h2c stream 1 of a server
// connection (RFC 7540 3.2); to be called once, before Serve, after the 101 answer was
// written. settings is the value of HTTP2-Settings; body the request's whole body.
// Accept is called when Serve begins. Errors: settings or fields that are malformed.
func (c *Conn) Upgraded(settings string, fields []hpack.HeaderField, body []byte) error {
	p, err := base64.RawURLEncoding.DecodeString(settings)
	if err != nil || len(p)%6 != 0 {
		return errors.New("http2: HTTP2-Settings: not the payload of a SETTINGS frame in base64url")
	}
	if _, reason := checkRequest(fields, false); reason != "" {
		return fmt.Errorf("http2: request of the upgrade: %s", reason)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for ; len(p) > 0; p = p[6:] {
		if err := c.setting(xhttp2.SettingID(binary.BigEndian.Uint16(p)), binary.BigEndian.Uint32(p[2:])); err != nil {
			return err
		}
	}
	c.upgrade = &upgrade{fields: fields, body: body}
	return nil
}

// openUpgraded opens stream 1 for the request of the upgrade.
func (c *Conn) openUpgraded() {
	u := c.upgrade
	if u == nil {
		return
	}
	c.upgrade = nil
	c.mu.Lock()
	s := c.newStream(1)
	s.inEnd, c.lastPeer = true, 1
	c.unlock()
	if c.offer(s, u.fields, len(u.body) == 0) && len(u.body) > 0 {
		s.recv.Data(s, u.body, true)
	}
}
