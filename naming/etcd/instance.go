package etcd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/weft-mesh/weft"
)

// instance is what the value of a key says.
type instance struct {
	host, port string // as text; an address unless at.Addr is empty
	at         weft.Endpoint
}

// parseInstance reads a value: host:port, or an object in one of the two forms of
// the package comment.
func parseInstance(value []byte) (instance, error) {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return instance{}, errors.New("is empty; it must be host:port or a JSON object with addr")
	}
	if value[0] != '{' {
		return newInstance(string(value))
	}
	// Keys are compared without regard to case, so addr is Addr too.
	var v struct {
		Addr     string                     `json:"addr"`
		Weight   *float64                   `json:"weight"`
		Meta     map[string]json.RawMessage `json:"meta"`
		Metadata json.RawMessage            `json:"Metadata"`
	}
	if err := json.Unmarshal(value, &v); err != nil {
		return instance{}, fmt.Errorf("is not a JSON object as it must be: %w", err)
	}
	if v.Addr == "" {
		return instance{}, errors.New("has no addr, which must be host:port")
	}
	in, err := newInstance(v.Addr)
	if err != nil {
		return instance{}, err
	}
	if v.Weight != nil {
		switch w := *v.Weight; {
		case w < 0 || math.IsInf(w, 0):
			return instance{}, fmt.Errorf("has weight %v, which must not be negative", w)
		case w == 0:
			in.at.Weight = -1 // an Endpoint's way to say no traffic
		default:
			in.at.Weight = w
		}
	}
	in.at.Meta, err = readMeta(v.Meta, v.Metadata)
	return in, err
}

// newInstance reads host:port.
func newInstance(addr string) (instance, error) {
	host, port, err := splitAddr(addr)
	if err != nil {
		return instance{}, fmt.Errorf("has address %q, which %w", addr, err)
	}
	in := instance{host: host, port: port}
	if a, err := netip.ParseAddr(host); err == nil {
		n, _ := strconv.ParseUint(port, 10, 16) // splitAddr has seen that it is a number
		in.at.Addr = netip.AddrPortFrom(a.Unmap(), uint16(n)).String()
	}
	return in, nil
}

// splitAddr splits host:port and checks both.
func splitAddr(addr string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(addr)
	if err != nil || host == "" {
		return "", "", errors.New("must be host:port")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", "", errors.New("must have a port from 1 to 65535")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return host, port, nil
	}
	if len(host) > 253 || strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	}) {
		return "", "", errors.New("must have an IP address or a host name before the port")
	}
	return host, port, nil
}

// readMeta joins what an object says under meta and Metadata. Metadata that is not
// an object, which the module of etcd allows, is the value of "metadata".
func readMeta(meta map[string]json.RawMessage, metadata json.RawMessage) (map[string]string, error) {
	out := map[string]string{}
	add := func(k string, raw json.RawMessage) error {
		text, present, err := metaText(raw)
		if err == nil && present {
			out[k] = text
		}
		return err
	}
	if len(metadata) > 0 && metadata[0] == '{' {
		var more map[string]json.RawMessage
		if err := json.Unmarshal(metadata, &more); err != nil {
			return nil, fmt.Errorf("has unreadable Metadata: %w", err)
		}
		for k, raw := range more {
			if err := add(k, raw); err != nil {
				return nil, err
			}
		}
	} else if len(metadata) > 0 {
		if err := add("metadata", metadata); err != nil {
			return nil, err
		}
	}
	for k, raw := range meta {
		if err := add(k, raw); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// metaText returns a JSON value as text: strings as they are, null as absent,
// anything else as JSON.
func metaText(raw json.RawMessage) (text string, present bool, err error) {
	switch {
	case bytes.Equal(raw, []byte("null")):
		return "", false, nil
	case len(raw) > 0 && raw[0] == '"':
		err = json.Unmarshal(raw, &text)
	default:
		var b bytes.Buffer
		err = json.Compact(&b, raw)
		text = b.String()
	}
	if err != nil {
		return "", false, fmt.Errorf("has unreadable metadata: %w", err)
	}
	return text, true, nil
}
