package zk

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	zoo "github.com/go-zookeeper/zk"
)

const (
	defaultPort    = "2181"
	defaultPrefix  = "/dtabs"
	defaultTimeout = 10 * time.Second
)

// Config is where the dtabs are. Addrs are required.
type Config struct {
	// Addrs are the servers of the ensemble, host or host:port; the port is 2181 if
	// there is none.
	Addrs []string

	// PathPrefix is the znode below which the namespaces are. Empty is /dtabs.
	PathPrefix string

	// SessionTimeout is after how long a server that says nothing is given up. The
	// servers have bounds of their own for it. Zero is 10 s.
	SessionTimeout time.Duration

	// Auth are the credentials. Nil is none.
	Auth *AuthInfo

	// ACLs are those of znodes that are made. None lets everybody do everything.
	ACLs []ACL
}

// AuthInfo are credentials, such as digest and user:password.
type AuthInfo struct {
	Scheme, Auth string
}

// ACL is an entry of the access control list of a znode.
type ACL struct {
	// Scheme and ID say whom it lets do something, such as world and anyone.
	Scheme, ID string

	// Perms is what, each letter at most once: c create, r read, w write, d delete,
	// a admin.
	Perms string
}

// perms returns what the letters are for ZooKeeper.
func (a ACL) perms() (int32, error) {
	var all int32
	for _, letter := range a.Perms {
		var p int32
		switch letter {
		case 'c':
			p = zoo.PermCreate
		case 'r':
			p = zoo.PermRead
		case 'w':
			p = zoo.PermWrite
		case 'd':
			p = zoo.PermDelete
		case 'a':
			p = zoo.PermAdmin
		default:
			return 0, fmt.Errorf("zk: acls: perms: %q: %q is none of the letters crwda", a.Perms, letter)
		}
		if all&p != 0 {
			return 0, fmt.Errorf("zk: acls: perms: %q: %q is there twice", a.Perms, letter)
		}
		all |= p
	}
	if all == 0 {
		return 0, errors.New("zk: acls: perms: must have at least one of the letters crwda")
	}
	return all, nil
}

// checked returns the configuration with its defaults, and the ACLs in ZooKeeper's
// words.
func (c Config) checked() (Config, []zoo.ACL, error) {
	if len(c.Addrs) == 0 {
		return c, nil, errors.New("zk: zkAddrs: give at least one server as host:port")
	}
	addrs := make([]string, len(c.Addrs))
	for i, a := range c.Addrs {
		var err error
		if addrs[i], err = serverAddr(a); err != nil {
			return c, nil, err
		}
	}
	c.Addrs = addrs
	if c.SessionTimeout == 0 {
		c.SessionTimeout = defaultTimeout
	}
	if c.SessionTimeout < time.Millisecond {
		return c, nil, fmt.Errorf("zk: sessionTimeoutMs: is %v, must be at least 1ms", c.SessionTimeout)
	}
	if c.PathPrefix == "" {
		c.PathPrefix = defaultPrefix
	}
	if !strings.HasPrefix(c.PathPrefix, "/") {
		return c, nil, fmt.Errorf("zk: pathPrefix: %q must begin with /", c.PathPrefix)
	}
	if c.PathPrefix != "/" {
		for elem := range strings.SplitSeq(c.PathPrefix[1:], "/") {
			if err := checkElement(elem); err != nil {
				return c, nil, fmt.Errorf("zk: pathPrefix: %q: %w", c.PathPrefix, err)
			}
		}
	}
	if c.Auth != nil && c.Auth.Scheme == "" {
		return c, nil, errors.New("zk: authInfo: scheme: is missing, such as digest")
	}
	if len(c.ACLs) == 0 {
		return c, zoo.WorldACL(zoo.PermAll), nil
	}
	acls := make([]zoo.ACL, len(c.ACLs))
	for i, a := range c.ACLs {
		p, err := a.perms()
		if err != nil {
			return c, nil, err
		}
		if a.Scheme == "" {
			return c, nil, errors.New("zk: acls: scheme: is missing, such as world")
		}
		acls[i] = zoo.ACL{Perms: p, Scheme: a.Scheme, ID: a.ID}
	}
	return c, acls, nil
}

// serverAddr returns the address of a server with its port.
func serverAddr(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil { // no port, if it is anything
		host, port = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), defaultPort
		if strings.Contains(host, ":") != strings.HasPrefix(s, "[") {
			host = ""
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || host == "" || strings.ContainsAny(host, ", /") {
		return "", fmt.Errorf("zk: zkAddrs: %q is not host:port with a port from 1 to 65535", s)
	}
	return net.JoinHostPort(host, port), nil
}

// checkElement says what is wrong with the name of a znode. The rules are ZooKeeper's.
func checkElement(s string) error {
	switch {
	case s == "":
		return errors.New("a name must not be empty")
	case s == "." || s == "..":
		return fmt.Errorf("a name must not be %s", s)
	case len(s) > 1024:
		return errors.New("a name must have at most 1024 bytes")
	case !utf8.ValidString(s):
		return errors.New("a name must be UTF-8")
	}
	for _, r := range s {
		switch {
		case r == '/':
			return errors.New("a name must not have a /")
		case r < 0x20, r >= 0x7f && r <= 0x9f, r >= 0xd800 && r <= 0xf8ff, r >= 0xfff0 && r <= 0xffff:
			return fmt.Errorf("a name must not have the character %U", r)
		}
	}
	return nil
}
