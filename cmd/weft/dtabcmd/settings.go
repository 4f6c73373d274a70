package dtabcmd

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// settings finds the value of a setting: that of the flag, of the environment, or of
// the configuration file, which is read if it comes to that.
type settings struct {
	flags  *pflag.FlagSet
	getenv func(string) string
	config string // the file that was named, if any

	file     map[string]string
	fileName string
	read     bool
}

func (s *settings) text(name string) (string, error) {
	if f := s.flags.Lookup(name); f.Changed {
		return f.Value.String(), nil
	}
	if v := s.getenv("NAMERCTL_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))); v != "" {
		return v, nil
	}
	if !s.read {
		s.read = true
		var err error
		if s.fileName, s.file, err = readConfig(s.config); err != nil {
			return "", usagef("%w", err)
		}
	}
	if v, ok := s.file[name]; ok {
		return v, nil
	}
	return s.flags.Lookup(name).DefValue, nil
}

func (s *settings) duration(name string) (time.Duration, error) {
	text, err := s.text(name)
	if err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, usagef("%s: %q is not a duration such as 10s", name, text)
	}
	return d, nil
}

func (s *settings) flag(name string) (bool, error) {
	text, err := s.text(name)
	if err != nil {
		return false, err
	}
	on, err := strconv.ParseBool(text)
	if err != nil {
		return false, usagef("%s: %q is neither true nor false", name, text)
	}
	return on, nil
}

// tls returns the client side of TLS, nil if nothing is said about it.
func (s *settings) tls() (*tls.Config, error) {
	var ca, cert, key, sni string
	for name, to := range map[string]*string{"tls-ca": &ca, "tls-cert": &cert, "tls-key": &key, "tls-server-name": &sni} {
		var err error
		if *to, err = s.text(name); err != nil {
			return nil, err
		}
	}
	insecure, err := s.flag("insecure")
	if err != nil {
		return nil, err
	}
	if ca == "" && cert == "" && key == "" && sni == "" && !insecure {
		return nil, nil // no TLS settings are those of the system
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: sni, InsecureSkipVerify: insecure} // it was asked for
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, usagef("tls-ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, usagef("tls-ca: %s has no certificate in PEM", ca)
		}
	}
	if (cert == "") != (key == "") {
		return nil, usagef("%w", errHalfPair)
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, usagef("tls-cert, tls-key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

var errHalfPair = errors.New("tls-cert and tls-key must be given together")
