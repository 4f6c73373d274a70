package rolloutcmd

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/client"
)

// connection are the flags that say where namerd is and who asks. Each can be given
// in the environment, as NAMERCTL_ and its name.
type connection struct {
	baseURL, token                string
	tlsCA, tlsCert, tlsKey, tlsSN string
	insecure                      bool
	timeout                       time.Duration
	author, reason                string
}

func (c *connection) register(f *pflag.FlagSet) {
	f.StringVar(&c.baseURL, "base-url", "", "namerd location (e.g. http://namerd.example.com:4180), or several separated by commas")
	f.StringVar(&c.token, "token", "", "bearer token to send; better in NAMERCTL_TOKEN, which other users cannot see")
	f.StringVar(&c.tlsCA, "tls-ca", "", "file with the certificates of authorities to trust instead of the system's")
	f.StringVar(&c.tlsCert, "tls-cert", "", "file with the client certificate")
	f.StringVar(&c.tlsKey, "tls-key", "", "file with the key of the client certificate")
	f.StringVar(&c.tlsSN, "tls-server-name", "", "name in the server's certificate (default: the host of the URL)")
	f.BoolVar(&c.insecure, "insecure", false, "do not verify the server's certificate")
	f.DurationVar(&c.timeout, "timeout", 10*time.Second, "how long namerd may take to answer")
	f.StringVar(&c.author, "author", "", "who makes the change, for the history (default: the user)")
	f.StringVarP(&c.reason, "reason", "m", "", "why the change is made, for the history")
}

// fromEnvironment sets the flags that were not given to what the environment says.
func fromEnvironment(f *pflag.FlagSet) error {
	for _, name := range []string{"base-url", "token", "tls-ca", "tls-cert", "tls-key", "tls-server-name", "insecure", "timeout", "author"} {
		key := "NAMERCTL_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if v := os.Getenv(key); v != "" && !f.Changed(name) {
			if err := f.Set(name, v); err != nil {
				return usagef("%s: %w", key, err)
			}
		}
	}
	return nil
}

// connect returns a client. Close it.
func (c *connection) connect(cmd *cobra.Command) (*client.Client, error) {
	if err := fromEnvironment(cmd.Flags()); err != nil {
		return nil, err
	}
	if c.baseURL == "" {
		return nil, usagef("where namerd is is not said: give --base-url or NAMERCTL_BASE_URL, such as http://namerd:4180")
	}
	if c.timeout <= 0 {
		return nil, usagef("--timeout: %s is not a duration such as 10s", c.timeout)
	}
	o := client.Options{Token: c.token, Timeout: c.timeout, Note: namerd.Note{Author: c.author, Reason: c.reason}}
	if u, err := user.Current(); err == nil && c.author == "" {
		o.Note.Author = u.Username
	}
	if o.Note.Reason == "" {
		o.Note.Reason = "weft rollout"
	}
	var err error
	if o.TLS, err = c.tls(); err != nil {
		return nil, err
	}
	to, err := client.New(c.baseURL, o)
	if err != nil {
		return nil, usagef("%w", err)
	}
	return to, nil
}

// tls returns the client side of TLS, nil if nothing is said about it.
func (c *connection) tls() (*tls.Config, error) {
	if c.tlsCA == "" && c.tlsCert == "" && c.tlsKey == "" && c.tlsSN == "" && !c.insecure {
		return nil, nil //nolint:nilnil // no TLS settings are those of the system
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.tlsSN, InsecureSkipVerify: c.insecure} //nolint:gosec // it was asked for
	if c.tlsCA != "" {
		pem, err := os.ReadFile(c.tlsCA)
		if err != nil {
			return nil, usagef("--tls-ca: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, usagef("--tls-ca: %s has no certificate in PEM", c.tlsCA)
		}
	}
	if (c.tlsCert == "") != (c.tlsKey == "") {
		return nil, usagef("--tls-cert and --tls-key must be given together")
	}
	if c.tlsCert != "" {
		pair, err := tls.LoadX509KeyPair(c.tlsCert, c.tlsKey)
		if err != nil {
			return nil, usagef("--tls-cert, --tls-key: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}
