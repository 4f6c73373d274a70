package dtabcmd

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/user"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/client"
)

// connection are the flags that say where namerd is and who asks.
type connection struct {
	config string
	reason string

	// The others can be given in other ways too: see settings.
	baseURL, token                string
	tlsCA, tlsCert, tlsKey, tlsSN string
	insecure                      bool
	timeout                       time.Duration
	author                        string
}

func (a *app) flags(f *pflag.FlagSet) {
	f.StringVar(&a.baseURL, "base-url", "", "namerd location (e.g. http://namerd.example.com:4180), or several separated by commas")
	f.StringVar(&a.config, "config", "", "configuration file (default: .namerctl.{json,toml,yaml,yml} here or above)")
	f.BoolVar(&a.json, "json", false, "input/output in json instead of text")
	f.StringVar(&a.token, "token", "", "bearer token to send; better in NAMERCTL_TOKEN, which other users cannot see")
	f.StringVar(&a.tlsCA, "tls-ca", "", "file with the certificates of authorities to trust instead of the system's")
	f.StringVar(&a.tlsCert, "tls-cert", "", "file with the client certificate")
	f.StringVar(&a.tlsKey, "tls-key", "", "file with the key of the client certificate")
	f.StringVar(&a.tlsSN, "tls-server-name", "", "name in the server's certificate (default: the host of the URL)")
	f.BoolVar(&a.insecure, "insecure", false, "do not verify the server's certificate")
	f.DurationVar(&a.timeout, "timeout", 10*time.Second, "how long namerd may take to answer")
	f.StringVar(&a.author, "author", "", "who makes the change, for the history (default: the user)")
	f.StringVarP(&a.reason, "reason", "m", "", "why the change is made, for the history")
}

// session is one run of a command: its client and where to read and write.
type session struct {
	*app
	ctx    context.Context // a session is one run
	client *client.Client
	note   namerd.Note
	in     io.Reader
	out    io.Writer
	errs   io.Writer
}

// connect makes the client of what flags, environment and configuration file say.
func (a *app) connect(cmd *cobra.Command) (*session, error) {
	set := &settings{flags: cmd.Flags(), getenv: os.Getenv, config: a.config}
	base, err := set.text("base-url")
	if err != nil {
		return nil, err
	}
	o := client.Options{Logger: slog.New(&warnings{w: cmd.ErrOrStderr()})}
	o.Note = namerd.Note{Author: userName(), Reason: a.reason}
	if author, err := set.text("author"); err != nil {
		return nil, err
	} else if author != "" {
		o.Note.Author = author
	}
	if o.Token, err = set.text("token"); err != nil {
		return nil, err
	}
	if o.Timeout, err = set.duration("timeout"); err != nil {
		return nil, err
	}
	if o.TLS, err = set.tls(); err != nil {
		return nil, err
	}
	c, err := client.New(base, o)
	if err != nil {
		return nil, usagef("%w", err)
	}
	return &session{
		app: a, ctx: cmd.Context(), client: c, note: o.Note,
		in: cmd.InOrStdin(), out: cmd.OutOrStdout(), errs: cmd.ErrOrStderr(),
	}, nil
}

// userName is the name that the user has on this machine, or "".
func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}
